#ifndef IOTHUB_STORE_CALL_H
#define IOTHUB_STORE_CALL_H

/**
 * @file
 * Calls of the store, and what follows when one fails: it is counted, told in the log, and the
 * store is left alone until a back-off is over.
 */

#include "internal.h"

/**
 * Told in the log by the next iothub_process: callbacks do not run in other calls.  text: static,
 * or NULL for that of the store.
 */
void store_failed(iothub_client *c, plat_result r, const char *text);
/** False: r is a failure, and was treated as one. */
bool store_went_well(iothub_client *c, plat_result r);
void store_say_failure(iothub_client *c);
/** It is left alone for now. */
bool store_rests(const iothub_client *c);
/** Why its last call ended with r. */
const char *store_why(const plat_store *s, plat_result r);

bool store_remove(iothub_client *c, uint64_t seq);
plat_store_info store_info(const iothub_client *c);

#endif
