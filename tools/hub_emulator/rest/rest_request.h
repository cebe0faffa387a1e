#ifndef HUB_REST_REQUEST_H
#define HUB_REST_REQUEST_H

/**
 * @file
 * A request of a service: what the HTTP server provides, and what is parsed from it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/result.h"
#include "registry/client_chain.h"

#define REST_SEGMENTS_MAX 6
#define REST_ARGS_MAX     3

/** Is called with a header; returns false to end the visit. */
typedef bool (*rest_header_visitor)(void *user, const char *name, const char *value);

typedef struct rest_request {
    const char *method;
    const char *path;     /* decoded, without the query */
    const char *raw_path; /* as it was sent, without the query; NULL: use path instead */
    const char *authorization;
    const char *host;           /* Host header, or NULL */
    const char *if_match;       /* value of the header If-Match, or NULL */
    const char *max_item_count; /* x-ms-max-item-count, or NULL */
    const char *continuation;   /* x-ms-continuation, or NULL */
    const char *edge_module;    /* value of the header x-ms-edge-moduleId, or NULL */
    /** The certificates that the client has shown in its TLS handshake; NULL is the same as none.
     */
    const hub_client_chain *chain;
    const char *body;
    size_t body_len;
    /**
     * Returns the decoded value of a query parameter, "" if it has no value, or NULL if it is
     * missing.
     */
    const char *(*query)(const struct rest_request *r, const char *name);
    /**
     * Calls visit with each header as it was sent, until it returns false; may be NULL, if no
     * header matters. A header that occurs twice is visited twice.
     */
    void (*headers)(const struct rest_request *r, rest_header_visitor visit, void *user);
    void *transport; /* pointer for the functions query and headers */

    /* The following members are filled by the functions below. */
    char *segments[REST_SEGMENTS_MAX];
    size_t segment_count;
    const char *args[REST_ARGS_MAX]; /* the texts that match the placeholders of the route */
    cJSON *json;                     /* the body; NULL if it is empty or not read as JSON */
    /* How a device has proved its identity, as in hub_login; NULL for a request of a service. */
    const char *auth_scope;
    const char *auth_type;
} rest_request;

/**
 * Splits the path into its segments. It is split before it is decoded, so %2F does not separate
 * segments and %00 does not end the path.
 */
hub_result rest_request_split(rest_request *r, hub_fault *fault);
/** Returns whether the path has the form of the pattern, such as "devices/{}"; fills args. */
bool rest_request_matches(rest_request *r, const char *pattern);
/** Does the same without regard to case. */
bool rest_request_matches_any_case(rest_request *r, const char *pattern);
/** Notes how the device has proved its identity. The texts must exist as long as the request. */
void rest_request_set_login(rest_request *r, const char *auth_scope, const char *auth_type);
/** Calls r->headers, if there is such a function. */
void rest_request_each_header(const rest_request *r, rest_header_visitor visit, void *user);
/** Reads the body, if there is one, as JSON. */
hub_result rest_request_read_body(rest_request *r, hub_fault *fault);
/**
 * Reads a query parameter as a whole number from 0 to max. If the parameter is missing, *value is
 * not changed. Returns false if the parameter is not such a number.
 */
bool rest_query_number(const rest_request *r, const char *name, int64_t max, int64_t *value);
/**
 * Reads the largest number of items in a page from x-ms-max-item-count; it is at most limit.
 * Returns false if the header is not a number.
 */
bool rest_page_size(const rest_request *r, size_t limit, size_t *max);
void rest_request_free(rest_request *r);

#endif
