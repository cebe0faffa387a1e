/* Tests the uploads of devices: names, limits, ends, and tokens for the storage. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"
#include "blobs/uploads.h"
#include "messages/bag.h"

#define NOW_MS 1700000000000

static hub_uploads uploads;

static int start(void **state)
{
    (void)state;
    hub_uploads_init(&uploads);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    hub_uploads_free(&uploads);
    return 0;
}

static const hub_upload *begin(const char *device, const char *name, int64_t now_ms)
{
    const hub_upload *upload;
    hub_fault fault;

    assert_int_equal(hub_uploads_begin(&uploads, device, name, now_ms, &upload, &fault), HUB_OK);
    return upload;
}

static hub_result end(const char *device, const char *id, bool success, int64_t now_ms)
{
    const hub_upload_end e = { id, success, 201, "done" };
    hub_fault fault;

    return hub_uploads_end(&uploads, device, &e, now_ms, NULL, &fault);
}

static void names_of_blobs_are_checked(void **state)
{
    static const char *const good[] = {
        "a", "a/b.txt", "a b", "\xC3\xBC", "..a", "a..b/c", "100%"
    };
    static const char *const bad[] = { "",  "/a",   "a/",     "a.",   "a//b", "..",  "../a",
                                       ".", "a/..", "a/../b", "a\\b", "a\nb", "\xFF" };
    char *longest = hub_calloc(1, HUB_BLOB_NAME_MAX + 1);
    const hub_upload *upload;
    hub_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const hub_upload *u = begin("d", good[i], NOW_MS);
        assert_int_equal(end("d", u->correlation_id, true, NOW_MS), HUB_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(hub_uploads_begin(&uploads, "d", bad[i], NOW_MS, &upload, &fault),
                         HUB_ERR_ARGUMENT);
    }
    memset(longest, 'x', HUB_BLOB_NAME_MAX - 2);
    assert_int_equal(strlen(begin("d", longest, NOW_MS)->blob_name), HUB_BLOB_NAME_MAX);
    longest[HUB_BLOB_NAME_MAX - 2] = 'x';
    assert_int_equal(hub_uploads_begin(&uploads, "d", longest, NOW_MS, &upload, &fault),
                     HUB_ERR_ARGUMENT);
    free(longest);
}

static void a_device_has_ten_active_uploads_at_most(void **state)
{
    const hub_upload *last = NULL;
    const hub_upload *refused;
    hub_fault fault;

    (void)state;
    for (int i = 0; i < HUB_UPLOADS_ACTIVE_MAX; i++) {
        last = begin("d", "same", NOW_MS + i);
    }
    assert_int_equal(hub_uploads_begin(&uploads, "d", "x", NOW_MS, &refused, &fault),
                     HUB_ERR_UPLOADS);
    (void)begin("another", "x", NOW_MS);
    assert_int_equal(end("d", last->correlation_id, false, NOW_MS), HUB_OK);
    (void)begin("d", "x", NOW_MS);
    assert_int_equal(hub_uploads_begin(&uploads, "d", "x", NOW_MS, &refused, &fault),
                     HUB_ERR_UPLOADS);
    /* The others end with their tokens. */
    (void)begin("d", "x", NOW_MS + HUB_UPLOADS_ACTIVE_MAX + HUB_UPLOADS_LIFE_S * 1000);
}

static void an_upload_ends_once_and_by_its_device_only(void **state)
{
    const hub_upload *u = begin("d", "x", NOW_MS);
    char *id = hub_strdup(u->correlation_id);

    (void)state;
    assert_int_equal(end("another", id, true, NOW_MS), HUB_ERR_NO_RESOURCE);
    assert_int_equal(end("d", "unknown", true, NOW_MS), HUB_ERR_NO_RESOURCE);
    assert_int_equal(end("d", id, true, NOW_MS), HUB_OK);
    assert_int_equal(end("d", id, true, NOW_MS), HUB_ERR_NO_RESOURCE);
    u = begin("d", "y", NOW_MS);
    assert_int_equal(end("d", u->correlation_id, true, u->expires_ms), HUB_ERR_NO_RESOURCE);
    free(id);
}

static void the_list_says_how_each_upload_has_ended(void **state)
{
    static const char *const states[] = { "expired", "failed", "succeeded", "active" };
    cJSON *list;

    (void)state;
    hub_uploads_set_life(&uploads, 1);
    (void)begin("d", "a", NOW_MS);
    hub_uploads_set_life(&uploads, 60);
    (void)end("d", begin("d", "b", NOW_MS + 1)->correlation_id, false, NOW_MS + 1);
    (void)end("d", begin("d", "c", NOW_MS + 2)->correlation_id, true, NOW_MS + 2);
    (void)begin("other", "d", NOW_MS + 1000);
    list = hub_uploads_list(&uploads, NULL);
    assert_int_equal(cJSON_GetArraySize(list), 4);
    for (int i = 0; i < 4; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, 3 - i);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "state")),
                            states[i]);
    }
    cJSON_Delete(list);
    list = hub_uploads_list(&uploads, "other");
    assert_int_equal(cJSON_GetArraySize(list), 1);
    cJSON_Delete(list);
}

static void block_ids_of_a_blob_have_one_length(void **state)
{
    (void)begin("d", "x", NOW_MS);
    (void)state;
    assert_true(hub_uploads_block_id_fits(&uploads, "d/x", 5));
    assert_true(hub_uploads_block_id_fits(&uploads, "d/x", 5));
    assert_false(hub_uploads_block_id_fits(&uploads, "d/x", 6));
    assert_true(hub_uploads_block_id_fits(&uploads, "d/y", 6));
}

/* --- tokens ------------------------------------------------------------ */

/* The parts of a token, which are decoded in place. */
static char *split(char *query, hub_storage_token *t)
{
    static const char *const names[] = { "sv=", "se=", "sr=", "sp=", "sig=" };
    const char **const places[] = { &t->sv, &t->se, &t->sr, &t->sp, &t->sig };
    hub_text all = { 0 };
    size_t starts[5] = { 0 };

    assert_int_equal(query[0], '?');
    for (size_t i = 0; i < 5; i++) {
        const char *at = strstr(query, names[i]) + strlen(names[i]);
        char *value = hub_percent_decode(at, strcspn(at, "&"));
        starts[i] = all.len;
        hub_text_add(&all, value, strlen(value) + 1);
        free(value);
    }
    for (size_t i = 0; i < 5; i++) {
        *places[i] = all.p + starts[i];
    }
    return all.p;
}

static void a_token_opens_its_blob_until_it_expires(void **state)
{
    const hub_upload *u = begin("d", "x", NOW_MS);
    char *query = hub_uploads_token(&uploads, u);
    hub_storage_token t;
    char *parts = split(query, &t);

    (void)state;
    assert_null(hub_uploads_check_token(&uploads, &t, "d/x", NOW_MS));
    assert_null(hub_uploads_check_token(&uploads, &t, "d/x", u->expires_ms - 1000));
    assert_non_null(hub_uploads_check_token(&uploads, &t, "d/x", u->expires_ms));
    assert_non_null(hub_uploads_check_token(&uploads, &t, "d/y", NOW_MS));
    free(parts);
    free(query);
}

static void a_token_that_was_changed_opens_nothing(void **state)
{
    const hub_upload *u = begin("d", "x", NOW_MS);
    char *query = hub_uploads_token(&uploads, u);
    hub_storage_token good;
    char *parts = split(query, &good);

    (void)state;
    for (int i = 0; i < 5; i++) {
        static const char *const others[] = { NULL, "", "2099-01-01T00:00:00Z" };
        for (size_t k = 0; k < 3; k++) {
            hub_storage_token t = good;
            const char **const places[] = { &t.sv, &t.se, &t.sr, &t.sp, &t.sig };
            *places[i] = others[k];
            assert_non_null(hub_uploads_check_token(&uploads, &t, "d/x", NOW_MS));
        }
    }
    hub_uploads_free(&uploads);
    hub_uploads_init(&uploads); /* with another key */
    assert_non_null(hub_uploads_check_token(&uploads, &good, "d/x", NOW_MS));
    free(parts);
    free(query);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_of_blobs_are_checked),
        TEST(a_device_has_ten_active_uploads_at_most),
        TEST(an_upload_ends_once_and_by_its_device_only),
        TEST(the_list_says_how_each_upload_has_ended),
        TEST(block_ids_of_a_blob_have_one_length),
        TEST(a_token_opens_its_blob_until_it_expires),
        TEST(a_token_that_was_changed_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
