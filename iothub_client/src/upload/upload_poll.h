#ifndef IOTHUB_UPLOAD_POLL_H
#define IOTHUB_UPLOAD_POLL_H

/** @file What an upload waits for: iothub_upload_poll is filled, and slept on. */

#include "iothub/upload.h"

/** Begins with nothing to wait for, and no time limit. */
void upload_poll_clear(iothub_upload_poll *p);

/** Wakes the caller of iothub_upload_poll_info after ms at the latest; -1 changes nothing. */
void upload_wake_in(iothub_upload_poll *p, int ms);

/** Wakes it at the time `due` at the latest. */
void upload_wake_at(iothub_upload_poll *p, uint64_t now, uint64_t due);

/** Adds what one request waits for; its descriptors get the slots from `at` on. */
void upload_http_poll(plat_http *http, plat_poll *at, iothub_upload_poll *p);

/**
 * Sleeps until a descriptor is ready, for max_ms at most. The descriptors are moved to the front.
 */
void upload_poll_sleep(iothub_upload_poll *p, const plat_net *net, uint32_t max_ms);

#endif
