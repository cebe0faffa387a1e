#ifndef IOTHUB_HOME_H
#define IOTHUB_HOME_H

/**
 * @file
 * How a client finds its hub, if its connection string does not name it. A client without a home
 * connects to the hub of its connection string. The functions are behind pointers, so that a
 * program links the search only if it uses it.
 */

#include <stdbool.h>

#include "context/context.h"
#include "context/deadline.h"
#include "platform/stream.h"

typedef enum home_answer {
    HOME_SEARCHES,
    HOME_FOUND, /* the context now has the names of the hub and the device */
    HOME_FAILED
} home_answer;

typedef struct home_ops {
    /**
     * Called when an attempt begins. Returns true if it must search for the hub before it connects.
     */
    bool (*needs_search)(iothub_home *h);
    /** Begins a search. */
    void (*begin)(iothub_home *h);
    /** Continues the search. If it returns HOME_FAILED, *why is filled. */
    home_answer (*turn)(iothub_home *h, mqc_time now, iothub_error *why);
    /** Ends a search before it has an answer. */
    void (*cancel)(iothub_home *h);
    /**
     * Reports what to wait for, and the next deadline. Returns false if there is nothing to wait
     * for; then p is unchanged. A closed descriptor is reported as long as platform/stream.h
     * requires it.
     */
    bool (*poll)(iothub_home *h, plat_poll *p, mqc_time *deadline);
    /**
     * Called when an attempt in the state `was` has failed and the client would wait for delay_ms.
     * Returns how long it waits instead.
     */
    uint32_t (*on_failure)(iothub_home *h, iothub_state was, iothub_result reason,
                           uint32_t delay_ms, mqc_time now);
    /** Called when the client is connected. */
    void (*on_connected)(iothub_home *h);
    /** Called when the client ends. */
    void (*deinit)(iothub_home *h);
} home_ops;

/** The first member of every implementation. */
struct iothub_home {
    const home_ops *ops;
};

/* --- for a client with or without a home --------------------------------------------------- */

static inline bool home_needs_search(const iothub_context *context)
{
    return context->home != NULL && context->home->ops->needs_search(context->home);
}

static inline void home_cancel(const iothub_context *context)
{
    if (context->home != NULL) {
        context->home->ops->cancel(context->home);
    }
}

/** Returns how long to wait after a failed attempt. */
static inline uint32_t home_delay_ms(const iothub_context *context, iothub_result reason,
                                     uint32_t delay_ms, mqc_time now)
{
    iothub_home *h = context->home;

    return h != NULL ? h->ops->on_failure(h, context->state, reason, delay_ms, now) : delay_ms;
}

static inline void home_on_connected(const iothub_context *context)
{
    if (context->home != NULL) {
        context->home->ops->on_connected(context->home);
    }
}

static inline bool home_poll(const iothub_context *context, plat_poll *p, mqc_time *deadline)
{
    return context->home != NULL && context->home->ops->poll(context->home, p, deadline);
}

#endif
