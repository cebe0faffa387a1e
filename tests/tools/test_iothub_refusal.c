#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/output.h"
#include "hub/refusal.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const hub_target device = { .device = "device1" };
static const hub_target module = { .device = "device1", .module = "camera" };

/* Returns the text that is written to standard error about a reply; valid until the next call. */
static const char *explain(long status, const char *code, const char *body, const char *path,
                           const hub_target *target)
{
    static char text[2048];
    char copy[1024];
    int file = memfd_create("stderr", 0);
    int before = dup(STDERR_FILENO);
    rest_reply reply = { .status = status, .body = copy, .len = strlen(body) };

    assert_true(file >= 0 && before >= 0);
    (void)snprintf(copy, sizeof copy, "%s", body);
    (void)snprintf(reply.code, sizeof reply.code, "%s", code);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    hub_explain_refusal(&reply, path, target);
    (void)fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    ssize_t len = pread(file, text, sizeof text - 1, 0);
    (void)close(before);
    (void)close(file);
    assert_true(len > 0);
    text[len] = '\0';
    return text;
}

static const char *of_code(const char *code, const hub_target *target)
{
    return explain(404, code, "{}", "/twins/x", target);
}

static void a_missing_target_is_named(void **state)
{
    (void)state;
    assert_non_null(strstr(of_code("DeviceNotFound", &device), "no device 'device1' (404)"));
    assert_non_null(strstr(of_code("404001", &module), "no device 'device1' (404)"));
    assert_non_null(strstr(of_code("ModuleNotFound", &module),
                           "the device 'device1' has no module 'camera' (404)"));
    assert_non_null(
        strstr(of_code("DeviceNotOnline", &device), "the device 'device1' is not connected"));
    assert_non_null(strstr(explain(504, "", "{}", "/twins/x", &device),
                           "the device 'device1' did not answer in time (504)"));
}

static void an_id_that_may_be_a_key_is_not_repeated(void **state)
{
    hub_target t = { .device = KEY };

    (void)state;
    const char *text = of_code("DeviceNotFound", &t);
    assert_non_null(strstr(text, "no device with this id (404)"));
    assert_null(strstr(text, "AAEC"));
    t = (hub_target){ .device = "short", .module = KEY };
    text = of_code("ModuleNotFound", &t);
    assert_non_null(strstr(text, "the device with this id has no module with this id (404)"));
    assert_null(strstr(text, "short"));
    assert_non_null(strstr(of_code("DeviceNotFound", NULL), "no device with this id (404)"));
}

static void the_text_of_the_hub_is_shown_from_each_of_its_formats(void **state)
{
    static const char *const bodies[] = {
        "{\"Message\":\"ErrorCode:QuotaExceeded;too many\"}",
        "{\"errorCode\":403002,\"message\":\"too many\"}",
        "{\"Message\":\"{\\\"errorCode\\\":403002,\\\"message\\\":\\\"too many\\\"}\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const char *text = explain(403, "", bodies[i], "/twins/x", &device);
        assert_non_null(strstr(text, "the hub answered 403: "));
        assert_non_null(strstr(text, i == 0 ? "QuotaExceeded too many" : "403002 too many"));
    }
    assert_non_null(
        strstr(explain(500, "", "no JSON", "/twins/x", NULL), "the hub answered 500: "));
}

static void keys_and_tokens_in_the_text_of_the_hub_are_not_shown(void **state)
{
    static const char *const bodies[] = {
        "{\"Message\":\"ErrorCode:X;bad SharedAccessSignature sr=h&sig=" KEY "&se=1\"}",
        "{\"Message\":\"ErrorCode:X;SharedAccessKey=" KEY "\"}",
        "{\"errorCode\":1,\"message\":\"key " KEY "\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const char *text = explain(400, "", bodies[i], "/twins/x", NULL);
        assert_null(strstr(text, "AAEC"));
        assert_non_null(strstr(text, "***"));
    }
}

static void a_hub_in_the_cloud_lacks_what_only_the_emulator_has(void **state)
{
    static const long statuses[] = { 404, 405, 501 };
    const char *path = EMULATOR_PATH "events";

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        assert_non_null(
            strstr(explain(statuses[i], "", "{}", path, NULL), "only the hub emulator"));
        assert_null(
            strstr(explain(statuses[i], "", "{}", "/twins/x", NULL), "only the hub emulator"));
    }
    assert_non_null(
        strstr(explain(400, "InvalidProtocolVersion", "{}", path, NULL), "only the hub emulator"));
    assert_null(strstr(explain(400, "Other", "{}", path, NULL), "only the hub emulator"));
}

static void refused_tokens_and_throttling_say_what_to_do(void **state)
{
    (void)state;
    assert_non_null(strstr(explain(401, "", "{}", "/twins/x", NULL), "IOTHUB_CONNECTION_STRING"));
    assert_non_null(strstr(explain(429, "", "{}", "/twins/x", NULL), "try again later"));
}

int main(void)
{
    static char name[] = "iothub";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_target_is_named),
        cmocka_unit_test(an_id_that_may_be_a_key_is_not_repeated),
        cmocka_unit_test(the_text_of_the_hub_is_shown_from_each_of_its_formats),
        cmocka_unit_test(keys_and_tokens_in_the_text_of_the_hub_are_not_shown),
        cmocka_unit_test(a_hub_in_the_cloud_lacks_what_only_the_emulator_has),
        cmocka_unit_test(refused_tokens_and_throttling_say_what_to_do),
    };

    cli_set_name(name);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
