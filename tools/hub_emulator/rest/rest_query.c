/* Queries over twins, as in the vendor's service API. */

#include "rest/rest_query.h"

#include <stdlib.h>
#include <string.h>

#include "query/query.h"
#include "rest/rest_target.h"

/* Reads the requested page size. The service accepts a number that is too large or too small;
 * text that is not a number is an error. */
static bool page_size(const rest_request *r, size_t *max)
{
    const char *text = r->max_item_count;

    *max = HUB_QUERY_PAGE_MAX;
    if (text == NULL || *text == '\0') {
        return true;
    }
    const char *digits = *text == '-' ? text + 1 : text;
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    long n = strtol(text, NULL, 10); /* a number that is too large becomes LONG_MAX */
    if (n > 0 && n < HUB_QUERY_PAGE_MAX) {
        *max = (size_t)n;
    }
    return true;
}

static rest_outcome answer(hub *h, const rest_request *r, const hub_query *q, rest_handling *out)
{
    hub_query_page page;
    hub_fault fault;
    size_t max;

    if (!page_size(r, &max)) {
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
