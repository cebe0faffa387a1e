#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/tls/tls_explain.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

static WOLFSSL_CTX *ctx;
static WOLFSSL *ssl;

static int make_connection(void **state)
{
    (void)state;
    assert_int_equal(wolfSSL_Init(), WOLFSSL_SUCCESS);
    ctx = wolfSSL_CTX_new(wolfTLS_client_method());
    ssl = wolfSSL_new(ctx);
    assert_non_null(ssl);
    return 0;
}

static int free_connection(void **state)
{
    (void)state;
    wolfSSL_free(ssl);
    wolfSSL_CTX_free(ctx);
    return 0;
}

static void known_errors_have_a_text_that_names_the_cause(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *part;
    } cases[] = {
        { MAX_CHAIN_ERROR, "more certificates" },
        { HANDSHAKE_SIZE_ERROR, "more bytes of certificates" },
        { VERSION_ERROR, "version of TLS" },
        { MATCH_SUITE_ERROR, "cipher suite" },
        { UNKNOWN_RECORD_TYPE, "does not speak TLS" },
        { LENGTH_ERROR, "does not speak TLS" },
        { ASN_PARSE_E, "cannot read the server's certificate" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_non_null(strstr(plat_tls_explain(ssl, cases[i].error), cases[i].part));
    }
}

static void every_error_has_a_text_of_one_line(void **state)
{
    (void)state;
    for (int error = 0; error > -700; error--) {
        const char *text = plat_tls_explain(ssl, error);
        assert_non_null(text);
        assert_null(strchr(text, '\n'));
    }
    assert_non_null(plat_tls_explain_end(ssl));
}

static void only_the_beginning_of_an_http_answer_counts_as_one(void **state)
{
    (void)state;
    static const char *const starts[] = { "HTTP/1.1 400 Bad Request", "<!DOCTYPE html>",
                                          "<html><body>" };
    static const char *const others[] = { "", "HTT", "http/1.1", " HTTP/1.1", "<", "\x16\x03\x03" };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        assert_true(plat_tls_is_http(starts[i], strlen(starts[i])));
        assert_false(plat_tls_is_http(starts[i], 4));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(plat_tls_is_http(others[i], strlen(others[i])));
    }
}

static void errors_of_certificates_are_told_from_others(void **state)
{
    (void)state;
    static const int certificate[] = { ASN_NO_SIGNER_E, ASN_PARSE_E,    ASN_SIG_OID_E,
                                       KEYUSAGE_E,      NO_PEER_CERT,   MAX_CHAIN_ERROR,
                                       RSA_KEY_SIZE_E,  ECC_KEY_SIZE_E, ASN_ALT_NAME_E };
    static const int others[] = { 0,           MEMORY_E,      VERSION_ERROR,    MATCH_SUITE_ERROR,
                                  FATAL_ERROR, DECRYPT_ERROR, VERIFY_MAC_ERROR, SOCKET_ERROR_E };
    for (size_t i = 0; i < sizeof certificate / sizeof certificate[0]; i++) {
        assert_true(plat_tls_blames_certificate(certificate[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(plat_tls_blames_certificate(others[i]));
    }
}

/* test_tls_login tests the meaning of each alert. */
static void without_an_alert_nothing_was_refused(void **state)
{
    (void)state;
    const char *why = "before";
    for (int n = 0; n < 4; n++) {
        const plat_tls_progress progress = { .presented = (n & 1) != 0, .accepted = (n & 2) != 0 };
        assert_false(plat_tls_explain_refusal(ssl, progress, &why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_errors_have_a_text_that_names_the_cause),
        cmocka_unit_test(every_error_has_a_text_of_one_line),
        cmocka_unit_test(only_the_beginning_of_an_http_answer_counts_as_one),
        cmocka_unit_test(without_an_alert_nothing_was_refused),
        cmocka_unit_test(errors_of_certificates_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, make_connection, free_connection);
}
