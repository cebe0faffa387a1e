#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "curl/tunnel_failure.h"
#include "failure/failure_text.h"

static plat_tunnel_failure failure(CURLcode code)
{
    return (plat_tunnel_failure){ .code = code,
                                  .proxy = "proxy:3128",
                                  .host = "hub.example",
                                  .port = 8883,
                                  .remark = "the remark" };
}

static void assert_explained(const plat_tunnel_failure *f, plat_result want, const char *part)
{
    char *detail = NULL;

    assert_int_equal(plat_tunnel_explain(f, &detail), want);
    assert_non_null(strstr(plat_failure_text_get(detail), part));
    assert_true(strlen(plat_failure_text_get(detail)) < PLAT_FAILURE_TEXT_MAX);
    plat_failure_text_drop(&detail);
}

static void each_status_of_a_proxy_has_a_result(void **state)
{
    (void)state;
    for (long status = 100; status < 600; status++) {
        plat_tunnel_failure f = failure(CURLE_RECV_ERROR);
        f.status = status;
        if (status >= 200 && status < 300) {
            /* The failure occurred after the answer. */
            assert_explained(&f, PLAT_ERR_PROXY, "the remark");
            continue;
        }
        const bool busy = status == 429 || (status >= 500 && status != 501);
        assert_explained(&f, busy ? PLAT_ERR_UNAVAILABLE : PLAT_ERR_PROXY, "proxy proxy:3128: it ");
    }
}

static void a_missing_user_is_told_from_a_refused_one(void **state)
{
    (void)state;
    static const long statuses[] = { 401, 407 };
    for (int i = 0; i < 2; i++) {
        plat_tunnel_failure f = failure(CURLE_RECV_ERROR);
        f.status = statuses[i];
        assert_explained(&f, PLAT_ERR_PROXY, "it requires a user and password");
        f.has_user = true;
        assert_explained(&f, PLAT_ERR_PROXY, "it refused the user or password");
    }
}

static void each_reason_of_a_socks_proxy_has_a_text(void **state)
{
    (void)state;
    for (long reason = CURLPX_OK; reason <= CURLPX_LAST; reason++) {
        plat_tunnel_failure f = failure(CURLE_PROXY);
        f.socks = reason;
        assert_explained(&f, PLAT_ERR_PROXY, "proxy proxy:3128: ");
    }
    plat_tunnel_failure f = failure(CURLE_PROXY);
    f.socks = CURLPX_REPLY_NOT_ALLOWED;
    assert_explained(&f, PLAT_ERR_PROXY, "its rules do not allow this connection");
}

static void a_proxy_that_is_not_reached_is_named_with_the_cause(void **state)
{
    (void)state;
    static const struct {
        CURLcode code;
        plat_result want;
    } cases[] = {
        { CURLE_COULDNT_RESOLVE_PROXY, PLAT_ERR_DNS },
        { CURLE_COULDNT_CONNECT, PLAT_ERR_CONNECT },
        { CURLE_OPERATION_TIMEDOUT, PLAT_ERR_CONNECT },
        { CURLE_SSL_CONNECT_ERROR, PLAT_ERR_TLS },
        { CURLE_PEER_FAILED_VERIFICATION, PLAT_ERR_CERT_UNTRUSTED },
        { CURLE_SSL_CACERT_BADFILE, PLAT_ERR_TRUST_STORE },
        { CURLE_OUT_OF_MEMORY, PLAT_ERR_MEMORY },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_tunnel_failure f = failure(cases[i].code);
        assert_explained(&f, cases[i].want, "proxy proxy:3128: the remark");
        f.os_error = 111; /* ECONNREFUSED on Linux */
        assert_explained(&f, cases[i].want, "proxy proxy:3128: connection refused");
        f.direct = true;
        assert_explained(&f, cases[i].want, "hub.example port 8883: connection refused");
    }
}

static void a_binding_that_is_impossible_is_no_fault_of_the_proxy(void **state)
{
    (void)state;
    plat_tunnel_failure f = failure(CURLE_INTERFACE_FAILED);
    f.os_error = 19; /* ENODEV on Linux */
    assert_explained(&f, PLAT_ERR_CONNECT, "proxy proxy:3128: the remark");
    f.direct = true;
    assert_explained(&f, PLAT_ERR_CONNECT, "hub.example port 8883: the remark");
}

static void a_host_that_this_system_cannot_look_up_is_named(void **state)
{
    (void)state;
    plat_tunnel_failure f = failure(CURLE_COULDNT_RESOLVE_HOST);
    assert_explained(&f, PLAT_ERR_DNS, "hub.example port 8883: the remark");
}

static void any_other_failure_is_one_of_the_proxy(void **state)
{
    (void)state;
    for (int code = 1; code < CURL_LAST; code++) {
        char *detail = NULL;
        plat_tunnel_failure f = failure((CURLcode)code);
        plat_result r = plat_tunnel_explain(&f, &detail);
        assert_true(r < PLAT_EOF);
        assert_non_null(strstr(plat_failure_text_get(detail), ": "));
        plat_failure_text_drop(&detail);
    }
    plat_tunnel_failure f = failure(CURLE_WEIRD_SERVER_REPLY);
    assert_explained(&f, PLAT_ERR_PROXY, "its answer is not valid: the remark");
    f.direct = true;
    assert_explained(&f, PLAT_ERR_IO, "hub.example port 8883: the remark");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_of_a_proxy_has_a_result),
        cmocka_unit_test(a_missing_user_is_told_from_a_refused_one),
        cmocka_unit_test(each_reason_of_a_socks_proxy_has_a_text),
        cmocka_unit_test(a_proxy_that_is_not_reached_is_named_with_the_cause),
        cmocka_unit_test(a_binding_that_is_impossible_is_no_fault_of_the_proxy),
        cmocka_unit_test(a_host_that_this_system_cannot_look_up_is_named),
        cmocka_unit_test(any_other_failure_is_one_of_the_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
