#ifndef TEST_LOOP_CASES_H
#define TEST_LOOP_CASES_H

/**
 * @file
 * What a connection may go through while an application's own loop drives it.  A test program
 * brings a loop of one kind, which keeps to the rules of iothub_poll_info, and runs loop_cases.
 */

#include <stdbool.h>

#include "iothub/client.h"

enum { LOOP_CLIENTS = 2, LONG_MS = 1000 };

/** One slot of a client, as its loop knows it. */
typedef struct loop_seen {
    int fd; /* -1: not watched */
    uint32_t generation;
    bool want_read, want_write;
} loop_seen;

/** What differs from what was seen; the rules of client.h in one place. */
typedef enum loop_change { LOOP_SAME, LOOP_OTHER_WISHES, LOOP_OTHER_FILE } loop_change;
loop_change loop_compare(const loop_seen *seen, const plat_poll *now);

/** The loop of the test program.  begin: watches these clients, of which unused ones are NULL. */
typedef struct loop_kind {
    void (*begin)(iothub_client *const clients[LOOP_CLIENTS]);
    void (*run_until)(bool (*is_over)(void)); /* called before each sleep */
    void (*end)(void);                        /* watches nothing any more */
} loop_kind;

/** Counted by the loop. */
extern unsigned loop_wakeups; /* sleeps */
extern unsigned loop_stalls;  /* sleeps of LONG_MS and more that only their time-out ended */

/** Fails the test unless the descriptor is open: a loop must never watch a closed one. */
void loop_check_open(int fd);

int loop_cases(const loop_kind *kind);

#endif
