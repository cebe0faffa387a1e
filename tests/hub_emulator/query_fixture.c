#include "query_fixture.h"

#include <stdlib.h>
#include <string.h>

static const char *const twins[] = {
    "a",
    "{\"tags\":{\"location\":{\"region\":\"US\",\"plant\":43},\"floor\":1,\"group\":\"x\","
    "\"list\":[1,{\"k\":\"v\"},\"z\"],\"a-b\":true,\"note\":\"it's \\\"here\\\"\"},"
    "\"properties\":{\"desired\":{\"interval\":60,\"on\":true}}}",
    "b",
    "{\"tags\":{\"location\":{\"region\":\"US\",\"plant\":44},\"floor\":2,\"gone\":\"x\"},"
    "\"properties\":{\"desired\":{\"interval\":300,\"on\":false}}}",
    "c",
    "{\"tags\":{\"location\":{\"region\":\"DE\"},\"floor\":\"2\",\"text\":\"M\xC3\xBCnchen\"},"
    "\"properties\":{\"desired\":{\"interval\":61,\"on\":\"true\"}}}",
    "d",
    "{\"tags\":{\"location\":\"nowhere\",\"floor\":-1.5,\"big\":4503599627370495}}",
};

int query_setup(void **state)
{
    assert_int_equal(fixture_setup(state), 0);
    hub_fixture *f = *state;
    hub_identity *id;
    hub_fault fault;

    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i += 2) {
        cJSON *body = hub_json_read(twins[i + 1], strlen(twins[i + 1]));
        assert_non_null(body);
        assert_int_equal(
            hub_registry_create(&f->hub.registry, twins[i], NULL, NULL, f->now_ms, &id, &fault),
            HUB_OK);
        hub_change change = { .twin = body, .mode = HUB_TWIN_MERGE };
        assert_int_equal(hub_apply(&f->hub, id, &change, &fault), HUB_OK);
        cJSON_Delete(body);
    }
    fixture_device(f, "c")->enabled = false;
    for (const char *m = "mn"; *m != '\0'; m++) {
        const char name[] = { *m, '\0' };
        assert_int_equal(
            hub_registry_create(&f->hub.registry, "a", name, NULL, f->now_ms, &id, &fault), HUB_OK);
    }
    return 0;
}

char *query_answer_paged(hub_fixture *f, const char *text, size_t max)
{
    hub_query *q;
    hub_fault fault;
    hub_query_page page = { 0 };
    cJSON *all = cJSON_CreateArray();

    if (hub_query_parse(text, &q, &fault) != HUB_OK) {
        cJSON_Delete(all);
        assert_null(q);
        return hub_strdup(fault.text);
    }
    for (;;) {
        char *from = page.continuation;
        assert_int_equal(hub_query_run(q, &f->hub.registry, from, max, &page, &fault), HUB_OK);
        free(from);
        assert_in_range(cJSON_GetArraySize(page.rows), 0, max);
        cJSON *row;
        while ((row = page.rows->child) != NULL) {
            (void)cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(page.rows, row));
        }
        cJSON_Delete(page.rows);
        if (page.continuation == NULL) {
            break;
        }
    }
    char *printed = hub_json_print(all);
    cJSON_Delete(all);
    hub_query_free(q);
    return printed;
}

char *query_answer(hub_fixture *f, const char *text)
{
    return query_answer_paged(f, text, HUB_QUERY_PAGE_MAX);
}

void query_expect(hub_fixture *f, const char *text, const char *expected)
{
    char *got = query_answer(f, text);
    if (strcmp(got, expected) != 0) {
        fail_msg("%s\n  expected %s\n  got      %s", text, expected, got);
    }
    free(got);
}

char *query_repeat(const char *before, const char *piece, size_t count, const char *middle,
                   const char *closing)
{
    hub_text t = { 0 };

    hub_text_str(&t, before);
    for (size_t i = 0; i < count; i++) {
        hub_text_str(&t, piece);
    }
    hub_text_str(&t, middle);
    for (size_t i = 0; i < count; i++) {
        hub_text_str(&t, closing);
    }
    return t.p;
}
