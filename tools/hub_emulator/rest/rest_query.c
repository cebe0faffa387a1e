/* Queries over twins, as in the vendor's service API. */

#include "rest/rest_query.h"

#include <stdlib.h>
#include <string.h>

#include "query/query.h"
#include "rest/rest_target.h"

static rest_outcome answer(hub *h, const rest_request *r, const hub_query *q, rest_handling *out)
{
    hub_query_page page;
    hub_fault fault;
    size_t max;

    if (!rest_page_size(r, HUB_QUERY_PAGE_MAX, &max)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "x-ms-max-item-count is not a whole number");
    }
    if (hub_query_run(q, &h->registry, r->continuation, max, &page, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    rest_set_page(out, hub_query_gives_twins(q) ? "Twin" : "raw", page.continuation);
    return rest_json(out, 200, page.rows);
}

static rest_outcome run_query(hub *h, rest_request *r, rest_handling *out)
{
    const char *text = hub_json_string(r->json, "query");
    hub_query *q;
    hub_fault fault;

    if (text == NULL) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "the body is not {\"query\":\"SELECT ..\"}");
    }
    if (hub_query_parse(text, &q, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    rest_outcome outcome = answer(h, r, q, out);
    hub_query_free(q);
    return outcome;
}

const rest_route rest_query_routes[] = {
    { "POST", "devices/query", HUB_RIGHT_REGISTRY_READ | HUB_RIGHT_SERVICE_CONNECT, run_query },
    { NULL, NULL, 0, NULL },
};
