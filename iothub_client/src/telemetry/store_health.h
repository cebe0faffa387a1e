#ifndef IOTHUB_STORE_HEALTH_H
#define IOTHUB_STORE_HEALTH_H

/**
 * @file
 * Calls of the store, and the consequences of a failure: it is counted and logged, and the store is
 * not called again until a back-off has ended.
 */

#include "context/context.h"
#include "context/deadline.h"

typedef struct store_health {
    iothub_context *context;
    uint64_t errors;        /* number of failed calls since the client was made */
    mqc_time retry_at;      /* the store is not called before this time; IOTHUB_NEVER: it works */
    const char *fault_text; /* text of the last failure; NULL: the text of the store */
    plat_result fault;      /* code of the last failure, until it is logged; then PLAT_OK */
    uint32_t failures;      /* number of consecutive failures */
} store_health;

void store_health_init(store_health *h, iothub_context *context);

/**
 * Call it when a call has failed. The next turn logs the failure, because callbacks do not run in
 * other calls. text is static, or NULL for the text of the store.
 */
void store_health_fail(store_health *h, plat_result r, const char *text);
/** Call it when a call of the application failed and was refused; it is only counted. */
void store_health_count_refusal(store_health *h);
/** Returns false if r is a failure, which is then counted and logged. */
bool store_health_check(store_health *h, plat_result r);
/** Call it when the store works again: the next back-off is a short one. */
void store_health_recover(store_health *h);
void store_health_log(store_health *h);

/** Returns true while the store must not be called. */
static inline bool store_health_rests(const store_health *h)
{
    return h->retry_at != IOTHUB_NEVER;
}

/** Returns false while the store rests. When that time has ended, the store may be called again. */
bool store_health_resume(store_health *h, mqc_time now);

/** Returns the reason why the last call of the store returned r. */
const char *store_health_why(const store_health *h, plat_result r);
/** Removes a record. Returns false if the store has failed. */
bool store_health_remove(store_health *h, uint64_t seq);
plat_store_info store_health_info(const store_health *h);

#ifndef NDEBUG
bool store_health_valid(const store_health *h);
#endif

#endif
