#ifndef HUB_REST_REPLY_H
#define HUB_REST_REPLY_H

/**
 * @file
 * The result of a request: a reply now, a reply later, or a stream of events.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/result.h"
#include "messages/bag.h"
#include "rest/rest_watch.h"

typedef struct rest_reply {
    int status;
    char *text;            /* JSON or bytes; NULL: no body */
    size_t len;            /* length of the text */
    const char *type;      /* content type; NULL: JSON */
    char *etag;            /* etag without quotes, or NULL */
    const char *code;      /* hub error code, or NULL */
    const char *item_type; /* x-ms-item-type, or NULL */
    char *continuation;    /* x-ms-continuation, or NULL */
    char *command_status;  /* x-ms-command-statuscode, or NULL */
    hub_bag headers;       /* further headers, with names and values that HTTP allows */
} rest_reply;

typedef enum rest_outcome {
    REST_REPLY = 0, /* *reply is complete */
    REST_LATER,     /* the reply follows; `finished` is called when it is complete */
    REST_WATCH      /* the events of *watch must be sent */
} rest_outcome;

typedef struct rest_handling {
    rest_reply reply;
    rest_watch watch;
    uint64_t method; /* number of the method; only used after REST_LATER */
    /* Is called at the end; only used after REST_LATER. */
    void (*finished)(struct rest_handling *h);
    void *user;
} rest_handling;

/**
 * Call it before a request is handled. finished is called when a reply that was REST_LATER is
 * complete.
 */
void rest_handling_begin(rest_handling *out, void (*finished)(rest_handling *h), void *user);

/** Sets a reply with JSON, which is freed. */
rest_outcome rest_json(rest_handling *out, int status, cJSON *json);
/** Sets a reply with JSON text on the heap, of which the reply takes ownership. */
rest_outcome rest_text(rest_handling *out, int status, char *text);
/** Sets a reply with a copy of these bytes. */
rest_outcome rest_bytes(rest_handling *out, int status, const void *data, size_t len);
rest_outcome rest_empty(rest_handling *out, int status);
rest_outcome rest_fault(rest_handling *out, const hub_fault *fault);
rest_outcome rest_fail(rest_handling *out, hub_result code, const char *text);

/* These functions set parts of a reply other than its body. The reply takes ownership of texts
 * on the heap. */

void rest_set_status(rest_handling *out, int status);
void rest_set_etag(rest_handling *out, char *etag);
void rest_set_code(rest_handling *out, const char *code);
void rest_set_page(rest_handling *out, const char *item_type, char *continuation);
void rest_set_command_status(rest_handling *out, int status);

/**
 * Adds a header. Bytes that HTTP does not allow in a name or a value are percent-encoded, so that a
 * text from outside makes exactly one header.
 */
void rest_add_header(rest_handling *out, const char *name, const char *value);

/** The reply follows when the method with this number has ended. */
rest_outcome rest_later(rest_handling *out, uint64_t method);
/** The reply is the stream of events of this watch. */
rest_outcome rest_events(rest_handling *out, const rest_watch *watch);

void rest_reply_free(rest_reply *r);

#endif
