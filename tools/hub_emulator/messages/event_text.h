#ifndef HUB_EVENT_TEXT_H
#define HUB_EVENT_TEXT_H

/** @file A telemetry event as a line of JSON, as it is stored on disk and sent to watchers. */

#include <stdint.h>

#include "messages/bag.h"

/** What the hub knows about a client from its login. */
typedef struct hub_event_login {
    const char *device;
    const char *module; /* NULL if the client is a device */
    const char *generation_id;
    const char *auth_scope; /* whose key signed the token: "device", "module" or "hub" */
    const char *auth_type;  /* "sas" or "x509" */
    const char *model_id;   /* "" without */
} hub_event_login;

/**
 * The sender of events. It holds, as text, the parts that all events of one login have in common.
 */
typedef struct hub_event_sender hub_event_sender;

/** Returns a sender on the heap. It copies what it needs. */
hub_event_sender *hub_event_sender_new(const hub_event_login *login);
/** Frees the sender, which may be NULL. */
void hub_event_sender_free(hub_event_sender *s);
const char *hub_event_sender_device(const hub_event_sender *s);

/** A message as it arrived. */
typedef struct hub_event_input {
    const hub_event_sender *sender;
    const hub_bag *bag; /* the properties that were parsed from the topic */
    const void *body;
    size_t len; /* length of the body */
    int qos;
    int64_t now_ms;
} hub_event_input;

/** Returns true if this is the name of a system property as a device writes it, such as "$.mid". */
bool hub_event_is_system(const char *name);

/** Replaces the text in *out by the event, without a line end. */
void hub_event_write(hub_text *out, const hub_event_input *in, uint64_t sequence);

#endif
