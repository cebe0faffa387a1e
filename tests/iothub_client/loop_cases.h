#ifndef TEST_LOOP_CASES_H
#define TEST_LOOP_CASES_H

/**
 * @file
 * What can happen to a connection while the event loop of an application drives it. A test program
 * provides a loop of one kind, which follows the rules of iothub_poll_info, and calls
 * run_loop_cases.
 */

#include <stdbool.h>

#include "iothub/client.h"

enum { LOOP_CLIENTS = 2, LONG_MS = 1000 };

/** One descriptor slot of a client, as the loop last saw it. */
typedef struct loop_seen {
    int fd; /* -1: not watched */
    uint32_t generation;
    bool want_read, want_write;
} loop_seen;

/** Compares a slot with what the loop last saw. The rules of client.h are implemented only here. */
typedef enum loop_change { LOOP_SAME, LOOP_OTHER_WISHES, LOOP_OTHER_FILE } loop_change;
loop_change loop_compare(const loop_seen *seen, const plat_poll *now);

/**
 * The event loop of the test program. `begin` starts to watch the clients; unused ones are NULL.
 */
typedef struct loop_kind {
    void (*begin)(iothub_client *const clients[LOOP_CLIENTS]);
    /* Runs until is_over, which it calls before each sleep, returns true. */
    void (*run_until)(bool (*is_over)(void));
    void (*end)(void); /* stops watching the clients */
} loop_kind;

/** The loop counts its sleeps here. */
extern unsigned loop_wakeups; /* sleeps */
extern unsigned loop_stalls;  /* sleeps of at least LONG_MS that ended only by their time-out */

/** Fails the test if the descriptor is not open, since a loop must never watch a closed one. */
void loop_check_open(int fd);

int loop_cases(const loop_kind *kind);

#endif
