#ifndef HUB_HUB_H
#define HUB_HUB_H

/**
 * @file
 * The hub: what happens at each event of the broker. It does not depend on the broker, but acts
 * through hub_broker. It runs on a single thread.
 */

#include "base/clock.h"
#include "blobs/storage_faults.h"
#include "blobs/uploads.h"
#include "dps/dps.h"
#include "hub/connections.h"
#include "hub/note.h"
#include "hub/request_faults.h"
#include "messages/methods.h"
#include "messages/service_queue.h"
#include "messages/telemetry.h"
#include "messages/topics.h"
#include "registry/login.h"

/**
 * Actions that the hub requests from the broker. `drop` may call hub_disconnected and
 * hub_accept_will before it returns.
 */
typedef struct hub_broker {
    void *user;
    void (*publish)(void *user, const char *client_id, const char *topic, const void *payload,
                    size_t len, int qos);
    void (*drop)(void *user, const char *client_id);
    /** Ends the kept session of a client that is not connected; may be NULL. */
    void (*end_session)(void *user, const char *client_id);
    void (*log)(void *user, const char *line);
    /** Prints a line for people, even without --verbose; may be NULL. */
    void (*notice)(void *user, const char *line);
    hub_clock (*now)(void *user);
    /** Sends a note to the TLS front, for hub_orders.h; may be NULL. */
    void (*order)(void *user, const hub_note *note);
} hub_broker;

typedef struct hub {
    hub_registry registry;
    hub_telemetry telemetry;
    hub_methods methods;
    hub_uploads uploads;
    hub_c2d_limits c2d_limits;
    hub_service_queue feedback;     /* about cloud-to-device messages that have ended */
    hub_service_queue file_notices; /* about uploads that have succeeded */
    hub_storage_faults storage_faults;
    hub_request_faults request_faults;
    dps *dps; /* NULL if there is no provisioning service */
    hub_broker broker;
    hub_connections connections;
    hub_list ready;     /* identities to which something may have to be sent at the next tick */
    const void *orphan; /* key of the last connection that ended after its identity was deleted */
    bool full;          /* telemetry could not be written, which was reported */
    int64_t swept_ms;   /* time of the last check of all deadlines, monotonic */
    unsigned throttle_twins; /* number of twin requests to answer with throttle_status */
    int throttle_status;
    unsigned refuse_logins; /* number of logins to refuse with refuse_code */
    unsigned refuse_code;   /* return code of a CONNACK */
} hub;

hub_result hub_open(hub *h, const char *state_dir, const hub_broker *broker, hub_fault *fault);
/** Starts the Device Provisioning Service. */
hub_result hub_open_dps(hub *h, const dps_settings *settings, hub_fault *fault);
void hub_close(hub *h);

/* Events from the broker. Any result other than HUB_OK means that it must refuse, or close the
 * connection. */

hub_result hub_connect(hub *h, const void *key, const hub_credentials *c, bool clean_session,
                       hub_fault *fault);
void hub_disconnected(hub *h, const void *key);
hub_result hub_subscribe(hub *h, const void *key, const char *filter, int qos, hub_fault *fault);
void hub_unsubscribe(hub *h, const void *key, const char *filter);

/**
 * Returns the client of a connection by its number at the TLS front; NULL if there is none, or if
 * the client has connected again since.
 */
const char *hub_client_of(const hub *h, uint64_t number);
bool hub_knows(const hub *h, const void *key);
bool hub_is_online(const hub *h, const char *client_id);
/**
 * Returns true if the broker may deliver the messages that it has kept for this client. They may
 * belong to a deleted device whose id was registered again.
 */
bool hub_may_resume(const hub *h, const void *key);

/* Functions for the service side. */

/**
 * Calls hub_registry_change, then notifies the device of its twin or disconnects a disabled device.
 */
hub_result hub_apply(hub *h, hub_identity *id, hub_change *c, hub_fault *fault);
hub_result hub_invoke(hub *h, hub_identity *id, const hub_method_request *request,
                      hub_method_done done, void *user, hub_fault *fault);
/** Makes the next tick check whether a method or a message can be sent to the device. */
void hub_wake(hub *h, hub_identity *id);
/** Closes the connection of the client at the next tick, if it is connected. */
void hub_kick(hub *h, hub_identity *id);
/** Deletes an identity, and with a device its modules. A failure deletes nothing. */
hub_result hub_delete(hub *h, hub_identity *id, hub_fault *fault);

hub_clock hub_time(const hub *h);
/** Returns milliseconds since 1970, for dates. */
int64_t hub_now(const hub *h);
/** Returns monotonic milliseconds, for durations. */
int64_t hub_up(const hub *h);
/** Publishes text to one client with QoS 0. Frees the topic. */
/**
 * Queues a publish for the connection of the identity, which must be connected. Frees the topic.
 */
void hub_send_text(hub *h, const hub_identity *id, char *topic, const char *text);
/** Passes the queued publishes to the broker. hub_tick ends with this. */
void hub_send_queued(hub *h);
/** Makes the next twin requests, up to this number, be answered with this status. */
void hub_throttle(hub *h, unsigned twin_requests, int status);
/** Returns whether this twin request must be answered with h->throttle_status, and counts it. */
bool hub_is_throttled(hub *h);
/** Sets how long and how often a device may lock a cloud-to-device message from now on. */
void hub_set_c2d_limits(hub *h, const hub_c2d_limits *limits);
/** Set which requests over HTTPS, and which of those to the storage, fail from now on. */
void hub_set_request_faults(hub *h, const hub_request_faults *faults);
void hub_set_storage_faults(hub *h, const hub_storage_faults *faults);
/**
 * Returns the status with which a request of this kind must fail, and counts it; 0: it does not
 * fail.
 */
int hub_take_request_fault(hub *h, unsigned kind);
/** Refuses the next logins with this return code of a CONNACK (1 to 5). */
void hub_refuse_logins(hub *h, unsigned logins, unsigned code);
/** Returns whether this login must be refused with h->refuse_code, and counts it. */
bool hub_login_is_refused(hub *h);
/**
 * Call it after each attempt to write telemetry. It reports the first failure, and the next
 * success.
 */
void hub_report_disk(hub *h, hub_result r, const hub_fault *fault);

/** Returns whether it is time to check all deadlines, and then notes that this is done. */
bool hub_take_sweep(hub *h, int64_t up_ms);

void hub_log(const hub *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
