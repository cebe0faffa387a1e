#ifndef HUB_HUB_H
#define HUB_HUB_H

/**
 * @file The hub: what happens on each event of the broker. It does not depend on the broker: it
 * acts through hub_broker. One thread.
 */

#include "base/clock.h"
#include "messages/methods.h"
#include "messages/telemetry.h"
#include "messages/topics.h"
#include "registry/login.h"

/**
 * Actions that the hub requests. drop may call hub_disconnected and hub_accept_will before it
 * returns.
 */
typedef struct hub_broker {
    void *user;
    void (*publish)(void *user, const char *client_id, const char *topic, const void *payload,
                    size_t len, int qos);
    void (*drop)(void *user, const char *client_id);
    /** Ends the kept session of a client that is not connected; may be NULL. */
    void (*end_session)(void *user, const char *client_id);
    void (*log)(void *user, const char *line);
    /** Prints a line for people, also without --verbose; may be NULL. */
    void (*notice)(void *user, const char *line);
    hub_clock (*now)(void *user);
} hub_broker;

typedef enum hub_connection_state {
    HUB_CONNECTION_LIVE = 0,
    HUB_CONNECTION_UNWANTED, /* to be dropped at the next tick */
    HUB_CONNECTION_DROPPED   /* the broker was told */
} hub_connection_state;

/** A connected client; key is the broker's name for the connection. */
typedef struct hub_connection {
    const void *key;
    hub_identity *identity; /* NULL after it was deleted; what the client sends is then ignored */
    char *client_id;
    int64_t expires_s;
    hub_connection_state state;
    bool resumed;                /* the kept session of the broker belongs to this identity */
    struct hub_connection *next; /* in the list of all, reached from *at */
    struct hub_connection **at;
    struct hub_connection *next_of_identity;
    struct hub_connection *next_unwanted; /* in the list of the unwanted, if unwanted_at is set */
    struct hub_connection **unwanted_at;
} hub_connection;

typedef struct hub {
    hub_registry registry;
    hub_telemetry telemetry;
    hub_methods methods;
    hub_broker broker;
    hub_connection *connections;
    size_t connection_count;
    void *by_key;             /* tree of the connections */
    hub_connection *unwanted; /* to be dropped at the next tick */
    hub_identity *ready;      /* something may have to be sent to these at the next tick */
    bool work;                /* one of the two lists is not empty */
    const void *orphan;       /* the last connection that ended after its identity was deleted */
    bool full;                /* telemetry could not be written, and that was reported */
    int64_t swept_ms;         /* last look at all deadlines, monotonic */
    unsigned throttle_twins;  /* number of twin requests to answer with throttle_status */
    int throttle_status;
} hub;

hub_result hub_open(hub *h, const char *state_dir, const hub_broker *broker, hub_fault *fault);
void hub_close(hub *h);

/* Events from the broker. Any result other than HUB_OK means: refuse, or close the connection. */

hub_result hub_connect(hub *h, const void *key, const hub_credentials *c, bool clean_session,
                       hub_fault *fault);
void hub_disconnected(hub *h, const void *key);
hub_result hub_subscribe(hub *h, const void *key, const char *filter, int qos, hub_fault *fault);
void hub_unsubscribe(hub *h, const void *key, const char *filter);

typedef struct hub_publish {
    const char *topic;
    const void *payload;
    size_t len;
    int qos;
    bool retain;
} hub_publish;

/** Checks whether the client may publish this; changes nothing. */
hub_result hub_check_publish(hub *h, const void *key, const hub_publish *p, hub_fault *fault);
/**
 * Carries out a publish that was allowed. HUB_ERR_STATE: it has no effect and must not be
 * acknowledged.
 */
hub_result hub_accept_publish(hub *h, const void *key, const hub_publish *p);
/** Handles the Will of a client whose connection has ended. */
void hub_accept_will(hub *h, const void *key, const char *client_id, const hub_publish *p);
/** The client published something that the broker refused without asking the hub. */
void hub_forbidden(hub *h, const char *client_id);
bool hub_knows(const hub *h, const void *key);
bool hub_is_online(const hub *h, const char *client_id);
/**
 * True if the broker may deliver the messages that it kept for this client. False if they belong to
 * a deleted device whose id was registered again.
 */
bool hub_may_resume(const hub *h, const void *key);

/** The broker has sent a C2D message for the first time, or received its acknowledgement. */
void hub_c2d_on_wire(hub *h, const char *client_id, uint16_t packet_id);
void hub_c2d_on_ack(hub *h, const char *client_id, uint16_t packet_id);

/** Call it often, at least ten times per second. */
void hub_tick(hub *h);

/* From the service side. */

/**
 * Calls hub_registry_change, then notifies the device of its twin or disconnects a disabled device.
 */
hub_result hub_apply(hub *h, hub_identity *id, hub_change *c, hub_fault *fault);
hub_result hub_invoke(hub *h, hub_identity *id, const hub_method_request *request,
                      hub_method_done done, void *user, hub_fault *fault);
/** Makes the next tick check whether a method or a message can be sent to the device. */
void hub_wake(hub *h, hub_identity *id);
/** Close the client's connection, if there is one, at the next tick. */
void hub_kick(hub *h, hub_identity *id);
/** Deletes an identity, a device with its modules. A failure deletes nothing. */
hub_result hub_delete(hub *h, hub_identity *id, hub_fault *fault);
/** Drop the messages that wait for a device. */
hub_result hub_purge(hub *h, hub_identity *id, size_t *dropped, hub_fault *fault);

hub_clock hub_time(const hub *h);
/** Milliseconds since 1970: dates. */
int64_t hub_now(const hub *h);
/** Monotonic milliseconds: durations. */
int64_t hub_up(const hub *h);
void hub_log(const hub *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
