/* Tests queries to the emulator: the first line is a continuation token, the rest is the query.
 * A refusal has a position and no rows; the rows are the same in pages of any size; a forged
 * token is refused or leads to a position within the same rows. */

#include "fuzz.h"
#include "query/query.h"

#define IDENTITIES 6

static hub_registry registry;

static hub_identity *identity(unsigned number, const char *device, const char *module,
                              const char *twin)
{
    hub_identity *id = hub_identity_new(number, device, module, INT64_C(1700000000000));
    cJSON *body = hub_json_read(twin, strlen(twin));
    cJSON *desired = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(body, "properties"), "desired");

    FUZZ_CHECK(body != NULL);
    cJSON_Delete(id->twin.tags);
    id->twin.tags = cJSON_DetachItemFromObjectCaseSensitive(body, "tags");
    cJSON_Delete(id->twin.desired.values);
    id->twin.desired.values = cJSON_Duplicate(desired, true);
    cJSON_Delete(body);
    return id;
}

static void make_registry(void)
{
    static hub_identity *items[IDENTITIES];

    hub_json_init();
    items[0] = identity(1, "a", NULL,
                        "{\"tags\":{\"region\":\"US\",\"floor\":1,\"list\":[1,{\"k\":\"v\"}]},"
                        "\"properties\":{\"desired\":{\"on\":true,\"n\":60}}}");
    items[1] = identity(2, "a", "m", "{\"tags\":{},\"properties\":{\"desired\":{\"n\":1}}}");
    items[2] = identity(3, "b", NULL,
                        "{\"tags\":{\"region\":\"US\",\"floor\":2,\"group\":\"x\"},"
                        "\"properties\":{\"desired\":{\"on\":false,\"n\":-1.5}}}");
    items[3] = identity(4, "b", "n", "{\"tags\":{\"x\":1},\"properties\":{\"desired\":{}}}");
    items[4] = identity(5, "c", NULL,
                        "{\"tags\":{\"region\":\"DE\",\"floor\":\"2\",\"t\":\"M\xC3\xBCnchen\"},"
                        "\"properties\":{\"desired\":{\"n\":1e300}}}");
    items[5] = identity(6, "d", NULL, "{\"tags\":{},\"properties\":{\"desired\":{}}}");
    items[4]->enabled = false;
    registry = (hub_registry){ .identities = { .items = items, .count = IDENTITIES } };
}

/* Returns all rows from the token on, fetched in pages of that size, or NULL if the token is
 * refused. */
static char *rows(const hub_query *q, const char *token, size_t max)
{
    hub_query_page page;
    hub_fault fault;
    hub_text all = { 0 };
    char *from = token != NULL ? hub_strdup(token) : NULL;

    hub_text_str(&all, "");
    for (int pages = 0;; pages++) {
        FUZZ_CHECK(pages <= IDENTITIES);
        if (hub_query_run(q, &registry, from, max, &page, &fault) != HUB_OK) {
            FUZZ_CHECK(pages == 0 && page.rows == NULL && page.continuation == NULL);
            hub_text_free(&all);
            free(from);
            return NULL;
        }
        FUZZ_CHECK((size_t)cJSON_GetArraySize(page.rows) <= max);
        const cJSON *row;
        cJSON_ArrayForEach(row, page.rows)
        {
            char *text = hub_json_print(row);
            cJSON *again = hub_json_read(text, strlen(text));
            FUZZ_CHECK(cJSON_IsObject(again));
            hub_text_str(&all, text);
            cJSON_Delete(again);
            free(text);
        }
        cJSON_Delete(page.rows);
        free(from);
        from = page.continuation;
        if (from == NULL) {
            return all.p;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    fuzz_input first = { data, 0 };
    hub_query *q;
    hub_fault fault;

    if (registry.identities.count == 0) {
        make_registry();
    }
    (void)fuzz_line(&in, &first);
    char *token = fuzz_text(first);
    char *text = fuzz_text(in);
    /* Skipped, because a query is part of a JSON text, which is always UTF-8. */
    if (!hub_utf8_valid(text, strlen(text))) {
        free(token);
        free(text);
        return 0;
    }
    if (hub_query_parse(text, &q, &fault) != HUB_OK) {
        FUZZ_CHECK(q == NULL && fault.code == HUB_ERR_ARGUMENT);
        FUZZ_CHECK(strncmp(fault.text, "query", 5) == 0);
    } else {
        char *whole = rows(q, NULL, HUB_QUERY_PAGE_MAX);
        FUZZ_CHECK(whole != NULL);
        for (size_t max = 1; max < 4; max++) {
            char *paged = rows(q, NULL, max);
            FUZZ_CHECK(paged != NULL && strcmp(paged, whole) == 0);
            free(paged);
        }
        free(rows(q, token, 1));
        free(whole);
    }
    hub_query_free(q);
    free(token);
    free(text);
    return 0;
}
