#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_http.h"
#include "iothub/invoke.h"

static iothub_invoke a_call(void)
{
    iothub_invoke call;

    iothub_invoke_init(&call);
    call.gateway = "gateway.local";
    call.caller = "edge1/module1";
    call.token = "SharedAccessSignature sr=x&sig=SECRET&se=1";
    call.device_id = "edge1";
    call.module_id = "module two";
    call.method = "re\"boot";
    call.payload = mqc_span_str("{\"delay\": 5}");
    return call;
}

static void the_request_is_that_of_the_gateway(void **state)
{
    (void)state;
    fake_http http;
    fake_http_init(&http);
    iothub_invoke call = a_call();
    call.ca_file = "/etc/ca.pem";
    call.connect_timeout_s = 7;

    assert_int_equal(iothub_invoke_start(&http.base, &call, NULL), IOTHUB_OK);

    assert_string_equal(http.method, "POST");
    assert_string_equal(http.url, "https://gateway.local:443/twins/edge1/modules/module%20two/"
                                  "methods?api-version=2021-04-12");
    assert_string_equal(http.sent, "{\"methodName\":\"re\\\"boot\",\"responseTimeoutInSeconds\":30,"
                                   "\"connectTimeoutInSeconds\":7,\"payload\":{\"delay\": 5}}");
    assert_non_null(
        strstr(http.headers, "Authorization: SharedAccessSignature sr=x&sig=SECRET&se=1\n"));
    assert_non_null(strstr(http.headers, "x-ms-edge-moduleId: edge1/module1\n"));
    assert_string_equal(http.ca, "file:/etc/ca.pem");
    assert_true(http.timeout_ms > 37000);
}

static void a_device_has_no_module_in_the_path_and_a_payload_is_optional(void **state)
{
    (void)state;
    fake_http http;
    fake_http_init(&http);
    iothub_invoke call = a_call();
    call.module_id = NULL;
    call.payload = mqc_span_of(NULL, 0);
    call.port = 8443;

    assert_int_equal(iothub_invoke_start(&http.base, &call, NULL), IOTHUB_OK);

    assert_string_equal(http.url,
                        "https://gateway.local:8443/twins/edge1/methods?api-version=2021-04-12");
    assert_null(strstr(http.sent, "payload"));
}

static iothub_invoke_answer ended(int status, const char *body)
{
    fake_http http;
    fake_http_init(&http);
    const iothub_invoke call = a_call();
    iothub_invoke_answer answer;

    http.status = status;
    http.body = body;
    http.result = PLAT_WOULD_BLOCK;
    assert_int_equal(iothub_invoke_start(&http.base, &call, NULL), IOTHUB_OK);
    assert_false(iothub_invoke_progress(&http.base, &answer));
    http.result = PLAT_OK;
    assert_true(iothub_invoke_progress(&http.base, &answer));
    assert_int_equal(answer.http_status, status);
    return answer;
}

static void the_answer_holds_what_the_method_returned(void **state)
{
    (void)state;
    static const struct {
        const char *body, *payload;
        int status;
    } cases[] = {
        { "{\"status\":200,\"payload\":{\"a\":[1,{\"status\":5}]}}", "{\"a\":[1,{\"status\":5}]}",
          200 },
        { "{\"payload\":\"text\",\"status\":-4}", "\"text\"", -4 },
        { "{\"status\":404}", "null", 404 },
        { " { \"other\" : [ ] , \"status\" : 1e2 , \"payload\" : null } ", "null", 100 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const iothub_invoke_answer answer = ended(200, cases[i].body);
        assert_int_equal(answer.result, IOTHUB_OK);
        assert_int_equal(answer.status, cases[i].status);
        assert_int_equal(answer.payload.len, strlen(cases[i].payload));
        assert_memory_equal(answer.payload.ptr, cases[i].payload, answer.payload.len);
        assert_string_equal(answer.text, "");
    }
}

static void every_truncated_answer_is_refused(void **state)
{
    (void)state;
    static const char body[] = "{\"status\":200,\"payload\":{\"a\":[1,\"x\"]}}";

    for (size_t len = 0; len < sizeof body - 1; len++) {
        char cut[sizeof body] = { 0 };
        memcpy(cut, body, len);
        assert_int_equal(ended(200, cut).result, IOTHUB_ERR_JSON);
    }
    assert_int_equal(ended(200, "{\"payload\":1}").result, IOTHUB_ERR_JSON);
    assert_int_equal(ended(200, "{\"status\":\"200\"}").result, IOTHUB_ERR_JSON);
    assert_int_equal(ended(200, "{\"status\":9999999999}").result, IOTHUB_ERR_JSON);
}

static void each_status_of_the_gateway_has_its_result_and_a_text(void **state)
{
    (void)state;
    static const struct {
        int status;
        iothub_result result;
    } cases[] = {
        { 400, IOTHUB_ERR_REJECTED },    { 401, IOTHUB_ERR_AUTH },
        { 403, IOTHUB_ERR_REJECTED },    { 404, IOTHUB_ERR_REJECTED },
        { 408, IOTHUB_ERR_TIMEOUT },     { 429, IOTHUB_ERR_UNAVAILABLE },
        { 500, IOTHUB_ERR_UNAVAILABLE }, { 504, IOTHUB_ERR_TIMEOUT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const iothub_invoke_answer answer = ended(cases[i].status, "no json");
        assert_int_equal(answer.result, cases[i].result);
        assert_true(strlen(answer.text) > 10);
    }
}

static void a_failed_request_is_reported_with_the_reason(void **state)
{
    (void)state;
    fake_http http;
    fake_http_init(&http);
    const iothub_invoke call = a_call();
    iothub_invoke_answer answer;
    iothub_error error;

    assert_int_equal(iothub_invoke_start(&http.base, &call, NULL), IOTHUB_OK);
    assert_int_equal(iothub_invoke_start(&http.base, &call, &error), IOTHUB_ERR_STATE);
    http.result = PLAT_ERR_CERT_UNTRUSTED;
    assert_true(iothub_invoke_progress(&http.base, &answer));
    assert_int_equal(answer.result, IOTHUB_ERR_TLS_UNTRUSTED);
    assert_string_equal(answer.text, "the fake fails");
}

static void expect_refusal(const iothub_invoke *call, iothub_result result, const char *part)
{
    fake_http http;
    fake_http_init(&http);
    iothub_error error = { .text = "" };

    assert_int_equal(iothub_invoke_start(&http.base, call, &error), result);
    if (strstr(error.text, part) == NULL || strstr(error.text, "SECRET") != NULL) {
        fail_msg("%s: %s", part, error.text);
    }
    assert_int_equal(http.starts, 0);
}

static void each_member_at_fault_is_named(void **state)
{
    (void)state;
    iothub_invoke call = a_call();
    call.gateway = NULL;
    expect_refusal(&call, IOTHUB_ERR_ARG, "gateway");
    call = a_call();
    call.caller = "";
    expect_refusal(&call, IOTHUB_ERR_ARG, "caller");
    call = a_call();
    call.token = NULL;
    expect_refusal(&call, IOTHUB_ERR_ARG, "token");
    call = a_call();
    call.device_id = NULL;
    expect_refusal(&call, IOTHUB_ERR_ARG, "device_id");
    call = a_call();
    call.method = NULL;
    expect_refusal(&call, IOTHUB_ERR_ARG, "method");
    call = a_call();
    call.port = 0;
    expect_refusal(&call, IOTHUB_ERR_ARG, "port");
    call = a_call();
    call.response_timeout_s = 4;
    expect_refusal(&call, IOTHUB_ERR_ARG, "response_timeout_s");
    call.response_timeout_s = 301;
    expect_refusal(&call, IOTHUB_ERR_ARG, "response_timeout_s");
    call = a_call();
    call.connect_timeout_s = 301;
    expect_refusal(&call, IOTHUB_ERR_ARG, "connect_timeout_s");
    call = a_call();
    call.payload = mqc_span_str("{delay}");
    expect_refusal(&call, IOTHUB_ERR_JSON, "payload");
    call = a_call();
    call.method = "\xFF";
    expect_refusal(&call, IOTHUB_ERR_ARG, "method");
    assert_int_equal(iothub_invoke_start(NULL, &call, NULL), IOTHUB_ERR_ARG);
}

static void names_and_payloads_have_their_limits(void **state)
{
    (void)state;
    char name[130];
    char *json = malloc(IOTHUB_INVOKE_PAYLOAD_MAX + 1);
    iothub_invoke call = a_call();

    assert_non_null(json);
    memset(name, 'n', sizeof name);
    name[129] = '\0';
    call.method = name;
    expect_refusal(&call, IOTHUB_ERR_TOO_BIG, "128 characters");
    call.method = name + 1;
    memset(json, ' ', IOTHUB_INVOKE_PAYLOAD_MAX + 1);
    json[0] = '1';
    call.payload = mqc_span_of(json, IOTHUB_INVOKE_PAYLOAD_MAX + 1);
    expect_refusal(&call, IOTHUB_ERR_TOO_BIG, "128 KB");
    call.payload.len--;
    fake_http http;
    fake_http_init(&http);
    assert_int_equal(iothub_invoke_start(&http.base, &call, NULL), IOTHUB_OK);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_that_of_the_gateway),
        cmocka_unit_test(a_device_has_no_module_in_the_path_and_a_payload_is_optional),
        cmocka_unit_test(the_answer_holds_what_the_method_returned),
        cmocka_unit_test(every_truncated_answer_is_refused),
        cmocka_unit_test(each_status_of_the_gateway_has_its_result_and_a_text),
        cmocka_unit_test(a_failed_request_is_reported_with_the_reason),
        cmocka_unit_test(each_member_at_fault_is_named),
        cmocka_unit_test(names_and_payloads_have_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
