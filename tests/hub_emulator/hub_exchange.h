#ifndef HUB_EXCHANGE_H
#define HUB_EXCHANGE_H

/* One request to the service API after the other; each reply stays until the next request. */

#include "hub_fixture.h"
#include "rest/rest.h"

typedef struct hub_exchange {
    hub_fixture *fixture;
    const char *policy;         /* whose key signs; NULL: iothubowner */
    const char *resource;       /* the sr of the token; NULL: localhost */
    const char *token;          /* instead of one of policy and resource; NULL: none */
    const char *host;           /* NULL: localhost:8443 */
    const char *if_match;       /* NULL: none */
    const char *query;          /* "name=value", one besides api-version; NULL: none */
    const char *version;        /* the api-version; NULL: a good one */
    const char *raw_path;       /* the path before its percent signs were decoded; NULL: none */
    const char *max_item_count; /* headers of a query; NULL: none */
    const char *continuation;
    rest_handling handling;
    rest_outcome outcome;
    int finished; /* how often a later reply was completed */
} hub_exchange;

/* The status of the reply. */
int hub_ask(hub_exchange *x, const char *method, const char *path, const char *body);
/* Its body, "" for none. */
const char *hub_reply(const hub_exchange *x);
void hub_exchange_end(hub_exchange *x);

#endif
