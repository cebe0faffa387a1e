#ifndef HUB_HUB_PUBLISH_H
#define HUB_HUB_PUBLISH_H

/**
 * @file
 * Handles what clients publish.
 */

#include "hub/hub.h"

typedef struct hub_publish {
    const char *topic;
    const void *payload;
    size_t len;
    int qos;
    bool retain;
} hub_publish;

/** Checks whether the client may publish this, without changing anything. */
hub_result hub_check_publish(hub *h, const void *key, const hub_publish *p, hub_fault *fault);
/**
 * Carries out a publish that was allowed. HUB_ERR_STATE means that it had no effect and must not be
 * acknowledged.
 */
hub_result hub_accept_publish(hub *h, const void *key, const hub_publish *p);
/**
 * Adds an event whose bag and size were checked. HUB_ERR_STATE means that it could not be written
 * and has no effect.
 */
hub_result hub_accept_event(hub *h, const hub_event_input *in, hub_fault *fault);
/** Handles the Will of a client whose connection has ended. */
void hub_accept_will(hub *h, const void *key, const char *client_id, const hub_publish *p);

#endif
