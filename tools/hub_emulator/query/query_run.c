/* Returns the rows of a query, page by page. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "query/query_eval.h"
#include "query/query_group.h"

/* The position at which a page begins: after this number of rows, the last of which belongs to
 * this client. */
typedef struct place {
    uint64_t served;
    char client_id[260]; /* "" before the first row, and for groups */
} place;

#define TOKEN_MAX 512

/* --- continuations ----------------------------------------------------- */

/* Returns the token of a page: mark, number of served rows and client id, in base64. */
static char *token_of(const hub_query *q, const place *p)
{
    char *plain = hub_format("%016" PRIx64 " %" PRIu64 " %s", q->mark, p->served, p->client_id);
    char *token = hub_base64_encode(plain, strlen(plain));

    free(plain);
    return token;
}

static bool read_place(const hub_query *q, const char *plain, size_t len, place *p)
{
    int used = 0;
    char mark[17];

    if (strlen(plain) != len || /* U+0000 inside */
        /* NOLINTNEXTLINE(cert-err34-c): the widths limit the digits */
        sscanf(plain, "%16[0-9a-f] %9" SCNu64 " %n", mark, &p->served, &used) != 2 || used < 18 ||
        len - (size_t)used >= sizeof p->client_id) {
        return false;
    }
    memcpy(p->client_id, plain + used, len - (size_t)used + 1);
    return strtoull(mark, NULL, 16) == q->mark;
}

static hub_result find_place(const hub_query *q, const char *token, place *p, hub_fault *fault)
{
    size_t len = 0;

    *p = (place){ 0 };
    if (token == NULL || *token == '\0') {
        return HUB_OK;
    }
    uint8_t *bytes = strlen(token) <= TOKEN_MAX ? hub_base64_decode(token, &len) : NULL;
    char *plain = bytes != NULL ? hub_memdup(bytes, len) : NULL;
    bool ok = plain != NULL && read_place(q, plain, len, p);
    free(bytes);
    free(plain);
    return ok ? HUB_OK
              : hub_fail(fault, HUB_ERR_ARGUMENT,
                         "the continuation token is not one of this query");
}

/* --- rows -------------------------------------------------------------- */

static cJSON *row_of(query_document *d)
{
    const hub_query *q = d->query;

    if (hub_query_gives_twins(q)) {
        return query_document_take(d);
    }
    cJSON *row = cJSON_CreateObject();
    for (size_t i = 0; i < q->column_count; i++) {
        query_value v = query_value_at(d, q->columns[i].path);
        cJSON *value = query_value_json(&v);
        if (value != NULL) {
            (void)cJSON_AddItemToObject(row, q->columns[i].name, value);
        }
    }
    return row;
}

static size_t rows_left(const hub_query *q, uint64_t served, size_t max)
{
    uint64_t left = !q->top_set ? max : served < q->top ? q->top - served : 0;
    return left < max ? (size_t)left : max;
}

/* There is a continuation if one more row is selected after a full page. */
static void run_rows(const hub_query *q, const hub_registry *r, const place *from, size_t max,
                     hub_query_page *page)
{
    const bool last = q->top_set && from->served + max >= q->top;
    size_t i =
        from->client_id[0] != '\0' ? hub_identities_after(&r->identities, from->client_id) : 0;
    place end = *from;
    size_t left = max;
    query_document d;

    query_document_open(&d, q);
    for (bool more = max > 0; more && i < r->identities.count; i++) {
        query_document_next(&d, r->identities.items[i]);
        if (!query_selects(&d)) {
            continue;
        }
        if (left == 0) {
            page->continuation = token_of(q, &end);
            more = false;
        } else {
            (void)cJSON_AddItemToArray(page->rows, row_of(&d));
            (void)snprintf(end.client_id, sizeof end.client_id, "%s", d.id->client_id);
            end.served++;
            left--;
            more = left > 0 || !last;
        }
    }
    query_document_close(&d);
}

static void run_groups(const hub_query *q, const hub_registry *r, const place *from, size_t max,
                       hub_query_page *page)
{
    const bool last = q->top_set && from->served + max >= q->top;
    cJSON *all = query_group(q, r);
    place end = { .served = from->served + max };
    uint64_t i = 0;
    cJSON *row;

    while ((row = all->child) != NULL && i < end.served) {
        (void)cJSON_DetachItemViaPointer(all, row);
        if (i++ < from->served) {
            cJSON_Delete(row);
        } else {
            (void)cJSON_AddItemToArray(page->rows, row);
        }
    }
    if (row != NULL && !last) {
        page->continuation = token_of(q, &end);
    }
    cJSON_Delete(all);
}

hub_result hub_query_run(const hub_query *q, const hub_registry *r, const char *continuation,
                         size_t max, hub_query_page *page, hub_fault *fault)
{
    place from;

    *page = (hub_query_page){ 0 };
    hub_result result = find_place(q, continuation, &from, fault);
    if (result != HUB_OK) {
        return result;
    }
    page->rows = cJSON_CreateArray();
    size_t count = rows_left(q, from.served, max);
    if (q->aggregated) {
        run_groups(q, r, &from, count, page);
    } else {
        run_rows(q, r, &from, count, page);
    }
    return HUB_OK;
}
