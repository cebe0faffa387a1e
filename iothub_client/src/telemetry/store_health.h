#ifndef IOTHUB_STORE_CALL_H
#define IOTHUB_STORE_CALL_H

/**
 * @file Handles failed calls of the store: a failure is counted and logged, and the store is not
 * called again until a back-off has passed.
 */

#include "internal.h"

/**
 * Notes a failure; the next iothub_process logs it, since callbacks do not run in other calls.
 * text: static, or NULL for the text of the store.
 */
void store_failed(iothub_client *c, plat_result r, const char *text);
/** False: r is a failure; it was counted. */
bool store_went_well(iothub_client *c, plat_result r);
void store_say_failure(iothub_client *c);
/** True: the store must not be called now, because of a back-off. */
bool store_rests(const iothub_client *c);
/** Returns the reason why its last call ended with r. */
const char *store_why(const plat_store *s, plat_result r);

bool store_remove(iothub_client *c, uint64_t seq);
plat_store_info store_info(const iothub_client *c);

#endif
