#ifndef HUB_REST_H
#define HUB_REST_H

/**
 * @file
 * The service API without HTTP: a request that was taken apart goes in, a reply
 * comes out.  rest_server.c puts it on the wire.
 */

#include "hub/hub.h"

#define REST_SEGMENTS_MAX 6
#define REST_ARGS_MAX     3

struct rest_reply;

typedef struct rest_request {
    const char *method;
    const char *path;     /* decoded, without the query */
    const char *raw_path; /* as it was sent, without the query; NULL: path stands for it */
    const char *authorization;
    const char *host;           /* Host header, or NULL */
    const char *if_match;       /* or NULL */
    const char *max_item_count; /* x-ms-max-item-count, or NULL */
    const char *continuation;   /* x-ms-continuation, or NULL */
    const char *body;
    size_t body_len;
    /** Decoded value of a query parameter, "" when it stands alone, NULL when absent. */
    const char *(*query)(const struct rest_request *r, const char *name);
    void *transport; /* whatever query needs */

    /* Filled by rest_handle: */
    char *segments[REST_SEGMENTS_MAX];
    size_t segment_count;
    const char *args[REST_ARGS_MAX]; /* what the placeholders of the route stand for */
    cJSON *json;                     /* the body; NULL when it is empty */
} rest_request;

typedef struct rest_reply {
    int status;
    char *text;            /* JSON, or NULL for no body */
    char *etag;            /* without quotes, or NULL */
    const char *code;      /* hub error code, or NULL */
    const char *item_type; /* x-ms-item-type, or NULL */
    char *continuation;    /* x-ms-continuation, or NULL */
    char *command_status;  /* x-ms-command-statuscode, or NULL */
} rest_reply;

/** A watcher of telemetry. */
typedef struct rest_watch {
    uint64_t next;
    uint64_t left;       /* how many events more */
    int64_t deadline_ms; /* monotonic; 0: none */
    char *device;        /* NULL: all */
} rest_watch;

typedef enum rest_outcome {
    REST_REPLY = 0, /* *reply is complete */
    REST_LATER,     /* it will be completed, then `finished` is called */
    REST_WATCH      /* send events as *watch says */
} rest_outcome;

typedef struct rest_handling {
    rest_reply reply;
    rest_watch watch;
    uint64_t method;                           /* for REST_LATER: the number of the method */
    void (*finished)(struct rest_handling *h); /* set by the caller, for REST_LATER */
    void *user;
} rest_handling;

rest_outcome rest_handle(hub *h, rest_request *request, rest_handling *out);
/** The caller of a REST_LATER has gone: `finished` will not be called. */
void rest_abandon(hub *h, rest_handling *out);

void rest_request_free(rest_request *r);
void rest_reply_free(rest_reply *r);

/* For the handlers. */

typedef rest_outcome (*rest_handler)(hub *h, rest_request *r, rest_handling *out);

typedef struct rest_route {
    const char *method;
    const char *pattern; /* segments; {} takes any one */
    unsigned rights;     /* a policy needs one of these */
    rest_handler handler;
} rest_route;

extern const rest_route rest_registry_routes[];
extern const rest_route rest_bulk_routes[];
extern const rest_route rest_twin_routes[];
extern const rest_route rest_digital_twin_routes[];
extern const rest_route rest_query_routes[];
extern const rest_route rest_emulator_routes[];

/** json is freed. */
rest_outcome rest_json(rest_handling *out, int status, cJSON *json);
rest_outcome rest_empty(rest_handling *out, int status);
rest_outcome rest_fault(rest_handling *out, const hub_fault *fault);
rest_outcome rest_fail(rest_handling *out, hub_result code, const char *text);
/** Does If-Match allow it?  Absent (NULL) and * do; quotes do not matter. */
bool rest_etag_matches(const char *if_match, const char *etag);
/** The same for the etag of the identity, or of its twin; HUB_ERR_ETAG. */
hub_result rest_check_identity_etag(const char *if_match, const hub_identity *id, hub_fault *fault);
hub_result rest_check_twin_etag(const char *if_match, const hub_identity *id, hub_fault *fault);
/** The identity that args[0] and, for a module, args[1] name; NULL with a complete reply. */
hub_identity *rest_identity(hub *h, const rest_request *r, rest_handling *out);
/** A number in the query, or otherwise; false when it is not one. */
bool rest_query_number(const rest_request *r, const char *name, int64_t max, int64_t *value);

#endif
