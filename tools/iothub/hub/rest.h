#ifndef HUB_REST_H
#define HUB_REST_H

/**
 * @file
 * The REST interface of a hub: sends one authorised HTTPS request at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The query that every path of the real hub's interface needs. */
#define REST_API_VERSION "api-version=2021-04-12"

/** The environment variable with the connection string of the service. */
#define REST_SERVICE_ENV "IOTHUB_CONNECTION_STRING"

typedef struct rest rest;

/**
 * Prepares calls of the hub that IOTHUB_CONNECTION_STRING names; trusts IOTHUB_CA_FILE if that is
 * set. Sends nothing. Returns NULL after printing an error.
 */
rest *rest_open(uint16_t port);
void rest_close(rest *r);

typedef struct rest_call {
    const char *method; /* "GET", ... */
    const char *path;   /* percent-encoded, begins with '/', may contain a query */
    const char *body;   /* JSON, or NULL */
    long timeout_s;     /* 0: no limit when connected */
    /**
     * Receives the body of a successful reply in pieces; returns false to end the call. NULL: the
     * body is collected.
     */
    bool (*on_data)(void *user, const char *data, size_t len);
    void *user;
} rest_call;

typedef struct rest_reply {
    long status;
    char *body; /* NUL-terminated; empty if on_data received it */
    size_t len;
    char code[64]; /* the hub's own name for an error, or "" */
} rest_reply;

/**
 * Sends the request and receives the reply. Returns false after printing an error if no complete
 * reply arrived.
 */
bool rest_perform(rest *r, const rest_call *call, rest_reply *reply);
void rest_reply_free(rest_reply *reply);

/** Returns a percent-encoded copy for one segment of a path; the caller frees it. */
char *rest_escape(const char *text);

#endif
