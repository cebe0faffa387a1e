#ifndef HUB_ISSUE_H
#define HUB_ISSUE_H

/**
 * @file Certificate requests of connected devices ($iothub/credentials): accepted with 202, and
 * answered with 200 as soon as they are due and the device listens, also on a later connection.
 */

#include "hub/hub.h"

/** Carries out a request of a device, whose body has len bytes. */
void hub_issue_accept(hub *h, hub_identity *id, const hub_topic *topic, const void *body,
                      size_t len);
/** Answers what is due. Call it often. */
void hub_issue_tick(hub *h);

#endif
