#ifndef HUB_EXCHANGE_H
#define HUB_EXCHANGE_H

/* Sends requests to the service API one after the other. Each reply remains valid until the next
 * request. */

#include "hub_fixture.h"
#include "rest/rest.h"

typedef struct hub_exchange {
    hub_fixture *fixture;
    const char *policy;         /* the policy whose key signs the token; NULL: iothubowner */
    const char *resource;       /* the resource (sr) in the token; NULL: localhost */
    const char *token;          /* this token is used instead of a new one; NULL: none */
    const char *host;           /* NULL: localhost:8443 */
    const char *if_match;       /* NULL: none */
    const char *query;          /* one "name=value" in addition to api-version; NULL: none */
    const char *version;        /* the api-version; NULL: a valid one */
    const char *raw_path;       /* the path before its percent signs were decoded; NULL: none */
    const char *max_item_count; /* the headers of a query; NULL: none */
    const char *continuation;
    const char *const *headers; /* names and values in turn, and NULL at the end; NULL: none */
    size_t body_len;            /* length of the body if it has a NUL inside; 0: up to its NUL */
    const char *edge_module;    /* value of the header x-ms-edge-moduleId; NULL: none */
    rest_handling handling;
    rest_outcome outcome;
    int finished; /* how often a delayed reply was completed */
} hub_exchange;

/* Sends a request and returns the status of the reply. */
int hub_ask(hub_exchange *x, const char *method, const char *path, const char *body);
/* Returns the body of the reply, or "" if it has none. */
const char *hub_reply(const hub_exchange *x);
/* Returns the value of a further header of the reply; NULL: there is none. */
const char *hub_reply_header(const hub_exchange *x, const char *name);
void hub_exchange_end(hub_exchange *x);

#endif
