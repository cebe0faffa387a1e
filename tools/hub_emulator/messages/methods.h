#ifndef HUB_METHODS_H
#define HUB_METHODS_H

/**
 * @file Open calls of direct methods: each waits for its device, then for the answer, and ends in
 * exactly one call of done. All times are monotonic.
 */

#include "base/json.h"
#include "base/names.h"
#include "base/result.h"

#define HUB_METHOD_BYTES_MAX (128 * 1024)

/**
 * The end of a call. `payload` is the device's JSON text, empty without one, and valid only during
 * the call of done.
 */
typedef struct hub_method_answer {
    hub_result result;
    int status;
    const char *payload;
    size_t payload_len;
    const char *why; /* unless HUB_OK */
} hub_method_answer;

typedef void (*hub_method_done)(void *user, const hub_method_answer *answer);

typedef enum hub_method_state { HUB_METHOD_WAITING = 0, HUB_METHOD_SENT } hub_method_state;

typedef struct hub_method {
    uint64_t number;
    char rid[24];                     /* the number in decimal digits */
    struct hub_method_client *client; /* the client that is called */
    struct hub_method *next;          /* next method of the same client */
    struct hub_method *previous;
    char *name;
    char *payload; /* JSON text; empty without a payload */
    hub_method_state state;
    int64_t deadline_ms;
    int64_t response_ms;
    hub_method_done done;
    void *user;
} hub_method;

/** The calls of one client in order: those that were sent, then those that wait. */
typedef struct hub_method_client {
    char *id;
    hub_method *first;
    hub_method *last;
    hub_method *waiting; /* the first method that was not sent yet */
} hub_method_client;

typedef struct hub_methods {
    hub_method **items; /* sorted by their numbers */
    size_t count;
    size_t capacity;
    uint64_t last_number;
    int64_t soonest_ms; /* no deadline is earlier than this time */
    hub_names clients;  /* maps client ids to hub_method_client */
} hub_methods;

/** The body of a request, parsed and as text. The text of the payload is passed on unchanged. */
typedef struct hub_method_request {
    const cJSON *json;
    const char *text; /* the text that json was read from */
    size_t len;
} hub_method_request;

/**
 * Checks the request and adds the call, whose number is then last_number. After a refusal done is
 * not called.
 */
hub_result hub_methods_add(hub_methods *m, const char *client_id, const hub_method_request *request,
                           int64_t now_ms, hub_method_done done, void *user, hub_fault *fault);
/** Returns the next method to send to this client, or NULL. */
hub_method *hub_methods_waiting(hub_methods *m, const char *client_id);
/** Call it when the method was sent, so that its answer is expected. */
void hub_methods_sent(hub_methods *m, hub_method *method, int64_t now_ms);
/** Handles an answer of a device. Returns false if no call waits for it. */
bool hub_methods_answer(hub_methods *m, const char *client_id, const char *rid, size_t rid_len,
                        const hub_method_answer *answer);
/** Ends calls whose time is over. */
void hub_methods_expire(hub_methods *m, int64_t now_ms);
/** Ends all calls to this client. */
void hub_methods_end(hub_methods *m, const char *client_id, const hub_method_answer *answer);
/**
 * Call it when the caller has disconnected: removes its method, if it is still open, without
 * calling done.
 */
void hub_methods_forget(hub_methods *m, uint64_t number);
void hub_methods_free(hub_methods *m);

/**
 * Returns whether the parts agree: numbers increase up to last_number, no deadline is before
 * soonest_ms, and each client's methods are linked in both directions, those that were sent before
 * those that wait. Debug builds assert it in each function, as long as there are few methods.
 */
bool hub_methods_valid(const hub_methods *m);

#endif
