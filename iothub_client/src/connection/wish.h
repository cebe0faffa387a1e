#ifndef IOTHUB_WISH_H
#define IOTHUB_WISH_H

/**
 * @file
 * Starts and stops that the application has requested and that iothub_process has not carried out
 * yet.
 */

#include <stdbool.h>

#include "context/deadline.h"

/* The requests that wait, in the order in which they are carried out. */
typedef enum iothub_wish_kind {
    IOTHUB_WISH_NONE = 0,
    IOTHUB_WISH_START,
    IOTHUB_WISH_STOP,
    IOTHUB_WISH_START_STOP,
    IOTHUB_WISH_STOP_START
} iothub_wish_kind;

typedef struct iothub_wish {
    iothub_wish_kind kind;
    /* The time at which the client no longer waits for open requests; 0 without a stop. */
    mqc_time stop_at;
} iothub_wish;

/**
 * Handles iothub_start. is_stopped: the client is in the state IOTHUB_STOPPED. Returns NULL, or the
 * reason for a refusal.
 */
const char *wish_start(iothub_wish *w, bool is_stopped);
/** iothub_stop. */
void wish_stop(iothub_wish *w, mqc_time stop_at);

/** Returns true if a start is next, which is then carried out. */
bool wish_take_start(iothub_wish *w);
/** Call it when the client has stopped. */
void wish_on_stopped(iothub_wish *w);

/** Returns true if a stop is next. */
static inline bool wish_is_stop(const iothub_wish *w)
{
    return w->kind == IOTHUB_WISH_STOP || w->kind == IOTHUB_WISH_STOP_START;
}

#ifndef NDEBUG
bool wish_valid(const iothub_wish *w);
#endif

#endif
