#ifndef IOTHUB_WISH_H
#define IOTHUB_WISH_H

/**
 * @file Starts and stops that the application has requested and iothub_process has not carried out.
 */

#include <stdbool.h>

#include "context/deadline.h"

/* In this order. */
typedef enum iothub_wish_kind {
    IOTHUB_WISH_NONE = 0,
    IOTHUB_WISH_START,
    IOTHUB_WISH_STOP,
    IOTHUB_WISH_START_STOP,
    IOTHUB_WISH_STOP_START
} iothub_wish_kind;

typedef struct iothub_wish {
    iothub_wish_kind kind;
    mqc_time stop_at; /* the time at which waiting for open requests ends; 0 without a stop */
} iothub_wish;

/**
 * Handles iothub_start, in the state IOTHUB_STOPPED or another one. Returns NULL, or why it is
 * refused.
 */
const char *wish_start(iothub_wish *w, bool is_stopped);
/** iothub_stop. */
void wish_stop(iothub_wish *w, mqc_time stop_at);

/** True if a start is next; it is carried out now. */
bool wish_take_start(iothub_wish *w);
/** The client has stopped. */
void wish_on_stopped(iothub_wish *w);

/** True if a stop is next. */
static inline bool wish_is_stop(const iothub_wish *w)
{
    return w->kind == IOTHUB_WISH_STOP || w->kind == IOTHUB_WISH_STOP_START;
}

#ifndef NDEBUG
bool wish_valid(const iothub_wish *w);
#endif

#endif
