#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "upload/upload_wire.h"

static const char answer[] =
    "{\"correlationId\":\"MjAy\",\"hostName\":\"store.blob.example:444\",\"containerName\":"
    "\"files-1\",\"blobName\":\"d1/a b/\\u00e4.txt\",\"sasToken\":\"?sv=1&sig=a%2Bb%3D&se=2\","
    "\"more\":{\"sasToken\":\"?no\"}}";

static upload_place place_of(const char *json)
{
    upload_place p;

    assert_true(upload_place_parse(mqc_span_str(json), &p));
    return p;
}

static void the_answer_of_the_hub_becomes_urls_encoded_by_segment(void **state)
{
    (void)state;
    static const char url[] = "https://store.blob.example:444/files-1/d1/a%20b/%C3%A4.txt"
                              "?sv=1&sig=a%2Bb%3D&se=2";
    const upload_place p = place_of(answer);
    char text[512];
    iothub_text t;

    assert_string_equal(p.correlation_id, "MjAy");
    iothub_text_init(&t, text, sizeof text);
    upload_put_blob_url(&t, &p);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(text, url);
    iothub_text_init(&t, text, sizeof text);
    upload_put_block(&t, 0x12ab, 12);
    upload_put_block(&t, UINT32_MAX, 49999);
    upload_put_block_list(&t);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(text, "&comp=block&blockid=MDAwMDEyYWIwMDAwMDAxMg%3D%3D"
                              "&comp=block&blockid=ZmZmZmZmZmYwMDA0OTk5OQ%3D%3D&comp=blocklist");
}

static void each_truncated_answer_is_refused(void **state)
{
    (void)state;
    upload_place p;
    for (size_t len = 0; len < sizeof answer - 1; len++) {
        assert_false(upload_place_parse(mqc_span_of(answer, len), &p));
    }
}

static void a_place_that_could_lead_elsewhere_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } changes[] = {
        { "store.blob", "user@store" },
        { "store.blob", "a/b" },
        { "store.blob", "a\\u0000b" },
        { ".example:444", "?x=" },
        { "files-1", "../x" },
        { "files-1", "FILES" },
        { "files-1", "" },
        { "?sv=1", "sv=1" },
        { "?sv=1", "? v=1" },
        { "?sv=1", "?sv=#" },
        { "?sv=1", "?\\r\\nX: y" },
        { "\"MjAy\"", "\"\"" },
        { "\"MjAy\"", "7" },
        { "d1/a b/\\u00e4.txt", "" },
        { "\"hostName\"", "\"x\"" },
        { "d1/", "d1\\u0000/" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char json[1024];
        upload_place p;
        const char *at = strstr(answer, changes[i].from);
        assert_non_null(at);
        (void)snprintf(json, sizeof json, "%.*s%s%s", (int)(at - answer), answer, changes[i].to,
                       at + strlen(changes[i].from));
        assert_false(upload_place_parse(mqc_span_str(json), &p));
        /* The id is needed to tell the hub that its place is not used. */
        const bool id_is_at_fault = strstr(changes[i].from, "MjAy") != NULL;
        assert_string_equal(p.correlation_id, id_is_at_fault ? "" : "MjAy");
        assert_string_equal(p.token, "");
    }
}

static void a_field_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t most;
        const char *front;
    } fields[] = {
        { "correlationId", UPLOAD_CORRELATION_MAX, "" }, { "hostName", UPLOAD_HOST_MAX, "" },
        { "containerName", UPLOAD_CONTAINER_MAX, "" },   { "blobName", IOTHUB_UPLOAD_NAME_MAX, "" },
        { "sasToken", UPLOAD_TOKEN_MAX, "?" },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        for (size_t more = 0; more <= 1; more++) {
            char value[2048] = "";
            char json[4096];
            upload_place p;
            const size_t front = strlen(fields[i].front);
            memset(value, 'a', fields[i].most - front + more);
            (void)snprintf(json, sizeof json, "%.*s,\"%s\":\"%s%s\"}", (int)sizeof answer - 2,
                           answer, fields[i].name, fields[i].front, value);
            assert_int_equal(upload_place_parse(mqc_span_str(json), &p), more == 0);
        }
    }
}

static void names_of_blobs_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a", "a/b", "a b.txt", "\xc3\xa4", "...", ".a/..b", "a%2f"
    };
    static const char *const bad[] = { "",       "/",   "/a",   "a/",   "a//b",  ".",    "..",
                                       "a/../b", "a/.", "a\\b", "a\nb", "a\x7f", "\xff", "\xc3" };
    char longest[IOTHUB_UPLOAD_NAME_MAX];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(upload_name_fault(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_non_null(strstr(upload_name_fault(bad[i]), "blob_name"));
    }
    assert_non_null(upload_name_fault(NULL));
    memset(longest, 'a', sizeof longest);
    longest[IOTHUB_UPLOAD_NAME_MAX - 128] = '\0'; /* one byte too many, with an id and a slash */
    assert_non_null(upload_name_fault(longest));
    longest[IOTHUB_UPLOAD_NAME_MAX - 129] = '\0';
    assert_null(upload_name_fault(longest));
}

static void the_list_names_each_block_and_has_the_counted_size(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 0, 1, 2, 50000 };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const size_t size = upload_list_size(counts[i]);
        char *text = malloc(size);
        iothub_text t;
        assert_non_null(text);
        iothub_text_init(&t, text, size);
        upload_put_list(&t, 7, counts[i]);
        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        uint32_t found = 0;
        for (const char *at = text; (at = strstr(at, "<Latest>MDAwMDAwMDcw")) != NULL; at++) {
            found++;
        }
        assert_int_equal(found, counts[i]);
        free(text);
    }
}

static void bodies_and_urls_for_the_hub_are_as_documented(void **state)
{
    (void)state;
    const upload_place p = place_of(answer);
    char text[512];
    size_t len;
    iothub_text t;

    assert_int_equal(upload_put_request(text, sizeof text, &len, "a \"b\"/c"), IOTHUB_OK);
    assert_string_equal(text, "{\"blobName\":\"a \\\"b\\\"/c\"}");
    assert_int_equal(len, strlen(text));
    assert_int_equal(upload_put_notification(text, sizeof text, &len, &p, true, 200, "ok"),
                     IOTHUB_OK);
    assert_string_equal(text, "{\"correlationId\":\"MjAy\",\"isSuccess\":true,\"statusCode\":200,"
                              "\"statusDescription\":\"ok\"}");
    iothub_text_init(&t, text, sizeof text);
    upload_put_hub_url(&t, mqc_span_str("hub.example"), 443, mqc_span_str("d 1"), "files");
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(text, "https://hub.example:443/devices/d%201/files?api-version=2021-04-12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_of_the_hub_becomes_urls_encoded_by_segment),
        cmocka_unit_test(each_truncated_answer_is_refused),
        cmocka_unit_test(a_place_that_could_lead_elsewhere_is_refused),
        cmocka_unit_test(a_field_that_is_too_long_is_refused),
        cmocka_unit_test(names_of_blobs_are_checked),
        cmocka_unit_test(the_list_names_each_block_and_has_the_counted_size),
        cmocka_unit_test(bodies_and_urls_for_the_hub_are_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
