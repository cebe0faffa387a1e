/* Tests what the hub reads in one certificate. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "made_certificates.h"
#include "registry/certificate.h"

#define START INT64_C(1800000000)
#define END   (START + 86400)

static made_certificate root;
static made_certificate leaf;
static hub_fault fault;

static int make_all(void **state)
{
    (void)state;
    made_init(&root, &(made_plan){ "Root", NULL, START, END, true, -1, false });
    made_init(&leaf, &(made_plan){ "device1", &root, START, END, false, -1, false });
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    made_deinit(&root);
    made_deinit(&leaf);
    return 0;
}

static hub_certificate *read_made(const made_certificate *m)
{
    hub_certificate *c;
    char *pem = made_pem(m);

    assert_int_equal(hub_certificate_from_text(&c, pem, &fault), HUB_OK);
    free(pem);
    return c;
}

static void a_certificate_is_read_from_pem_and_from_base64(void **state)
{
    char *pem = made_pem(&leaf);
    char *text = made_text(&leaf);
    char *broken = hub_format("%.20s\r\n%s\n", text, text + 20);
    const char *const forms[] = { pem, text, broken };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        hub_certificate *c;
        assert_int_equal(hub_certificate_from_text(&c, forms[i], &fault), HUB_OK);
        assert_string_equal(c->name, "device1");
        assert_string_equal(c->subject, "CN=device1");
        assert_string_equal(c->issuer, "CN=Root");
        assert_int_equal(c->not_before_s, START);
        assert_int_equal(c->not_after_s, END);
        assert_int_equal(c->version, 3);
        assert_false(c->is_ca);
        char *again = hub_certificate_to_text(c);
        assert_string_equal(again, text);
        free(again);
        hub_certificate_free(c);
    }
    free(broken);
    free(text);
    free(pem);
}

static void what_is_no_certificate_is_refused(void **state)
{
    static const char *const texts[] = { "", "x", "AAAA", "-----BEGIN CERTIFICATE-----\nAAAA\n",
                                         "-----BEGIN PRIVATE KEY-----\nAAAA\n" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hub_certificate *c;
        assert_int_equal(hub_certificate_from_text(&c, texts[i], &fault), HUB_ERR_ARGUMENT);
        assert_null(c);
    }
}

static void a_certificate_may_have_no_name(void **state)
{
    made_certificate nameless;

    (void)state;
    made_init(&nameless, &(made_plan){ NULL, &root, START, END, false, -1, false });
    hub_certificate *c = read_made(&nameless);
    assert_string_equal(c->name, "");
    hub_certificate_free(c);
    made_deinit(&nameless);
}

static void a_ca_is_known_as_one(void **state)
{
    hub_certificate *c = read_made(&root);

    (void)state;
    assert_true(c->is_ca);
    hub_certificate_free(c);
}

static void the_dates_include_the_first_second_and_not_the_last(void **state)
{
    hub_certificate *c = read_made(&leaf);

    (void)state;
    assert_int_equal(hub_certificate_check_dates(c, START - 1, &fault), HUB_ERR_UNAUTHORIZED);
    assert_string_equal(fault.text, "the certificate CN=device1 is not valid yet");
    assert_int_equal(hub_certificate_check_dates(c, START, &fault), HUB_OK);
    assert_int_equal(hub_certificate_check_dates(c, END - 1, &fault), HUB_OK);
    assert_int_equal(hub_certificate_check_dates(c, END, &fault), HUB_ERR_UNAUTHORIZED);
    assert_string_equal(fault.text, "the certificate CN=device1 has expired");
    hub_certificate_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_read_from_pem_and_from_base64),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(a_certificate_may_have_no_name),
        cmocka_unit_test(a_ca_is_known_as_one),
        cmocka_unit_test(the_dates_include_the_first_second_and_not_the_last),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
