/* Tests how client certificates are judged: by thumbprint, and by a path to a registered CA. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/text.h"
#include "made_certificates.h"
#include "registry/client_chain.h"

#define NOW   INT64_C(1800000000)
#define DAY   INT64_C(86400)
#define START (NOW - DAY)
#define END   (NOW + DAY)

/* The chain is root -> intermediate -> low. other is a root of somebody else with the same name. */
static made_certificate root;
static made_certificate intermediate;
static made_certificate leaf;
static made_certificate direct;
static made_certificate other;
static hub_fault fault;

static int make_all(void **state)
{
    (void)state;
    made_init(&root, &(made_plan){ "Root", NULL, START, END, true, 1, false });
    made_init(&other, &(made_plan){ "Root", NULL, START, END, true, 1, false });
    made_init(&intermediate, &(made_plan){ "Intermediate", &root, START, END, true, 0, false });
    made_init(&leaf, &(made_plan){ "device1", &intermediate, START, END, false, -1, false });
    made_init(&direct, &(made_plan){ "device1", &root, START, END, false, -1, false });
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    made_deinit(&root);
    made_deinit(&other);
    made_deinit(&intermediate);
    made_deinit(&leaf);
    made_deinit(&direct);
    return 0;
}

/* Reads a list of certificates that ends with NULL into a chain. */
static void read_chain(hub_client_chain *chain, const made_certificate *const *list)
{
    hub_text text = { 0 };

    hub_text_str(&text, "");
    for (size_t i = 0; list[i] != NULL; i++) {
        char *one = made_text(list[i]);
        hub_text_str(&text, i > 0 ? "," : "");
        hub_text_str(&text, one);
        free(one);
    }
    assert_int_equal(hub_client_chain_read(chain, text.p, text.len, &fault), HUB_OK);
    hub_text_free(&text);
}

static hub_certificate *authority(const made_certificate *m)
{
    hub_certificate *c;
    char *pem = made_pem(m);

    assert_int_equal(hub_certificate_from_text(&c, pem, &fault), HUB_OK);
    free(pem);
    return c;
}

static hub_result judge_at(const made_certificate *const *list, const made_certificate *ca,
                           int64_t now_s)
{
    hub_client_chain chain;
    hub_certificate *authorities[2] = { authority(&other), authority(ca) };
    size_t anchor = 99;

    read_chain(&chain, list);
    hub_result r = hub_client_chain_check_path(&chain, authorities, 2, now_s, &anchor, &fault);
    assert_true(r != HUB_OK || anchor == (ca == &other ? 0 : 1));
    hub_client_chain_free(&chain);
    hub_certificate_free(authorities[0]);
    hub_certificate_free(authorities[1]);
    return r;
}

static hub_result judge(const made_certificate *const *list, const made_certificate *ca)
{
    return judge_at(list, ca, NOW);
}

#define LIST(...) ((const made_certificate *const[]){ __VA_ARGS__, NULL })

static void a_path_leads_to_a_registered_ca(void **state)
{
    (void)state;
    assert_int_equal(judge(LIST(&direct), &root), HUB_OK);
    assert_int_equal(judge(LIST(&direct, &root), &root), HUB_OK);
    assert_int_equal(judge(LIST(&leaf, &intermediate), &root), HUB_OK);
    assert_int_equal(judge(LIST(&leaf, &intermediate, &root), &root), HUB_OK);
    assert_int_equal(judge(LIST(&leaf, &root, &intermediate), &root), HUB_OK);
    assert_int_equal(judge(LIST(&leaf, &other, &intermediate), &root), HUB_OK);
    /* An intermediate CA may itself be registered. */
    assert_int_equal(judge(LIST(&leaf), &intermediate), HUB_OK);
}

static void a_missing_link_is_refused_and_named(void **state)
{
    (void)state;
    assert_int_equal(judge(LIST(&leaf), &root), HUB_ERR_UNAUTHORIZED);
    assert_non_null(strstr(fault.text, "CN=device1 is not signed by"));
    assert_int_equal(judge(LIST(&leaf, &root), &root), HUB_ERR_UNAUTHORIZED);
    assert_int_equal(judge(LIST(&leaf, &intermediate), &other), HUB_ERR_UNAUTHORIZED);
    assert_non_null(strstr(fault.text, "CN=Intermediate is not signed by"));
    assert_int_equal(judge(LIST(&direct), &intermediate), HUB_ERR_UNAUTHORIZED);
    assert_int_equal(judge(LIST(&direct), &other), HUB_ERR_UNAUTHORIZED);
}

static void nobody_is_an_authority_for_itself(void **state)
{
    made_certificate lone;

    (void)state;
    made_init(&lone, &(made_plan){ "device1", NULL, START, END, false, -1, false });
    assert_int_equal(judge(LIST(&lone), &root), HUB_ERR_UNAUTHORIZED);
    assert_int_equal(judge(LIST(&lone, &root), &root), HUB_ERR_UNAUTHORIZED);
    made_deinit(&lone);
}

static void only_a_ca_signs(void **state)
{
    made_certificate below;
    made_certificate deep_ca;
    made_certificate deep;

    (void)state;
    made_init(&below, &(made_plan){ "device2", &direct, START, END, false, -1, false });
    assert_int_equal(judge(LIST(&below, &direct), &root), HUB_ERR_UNAUTHORIZED);
    assert_int_equal(judge(LIST(&below), &direct), HUB_ERR_UNAUTHORIZED);
    /* The intermediate CA allows no further CA below it: its path length is 0. */
    made_init(&deep_ca, &(made_plan){ "Deep", &intermediate, START, END, true, -1, false });
    made_init(&deep, &(made_plan){ "device1", &deep_ca, START, END, false, -1, false });
    assert_int_equal(judge(LIST(&deep, &deep_ca, &intermediate), &root), HUB_ERR_UNAUTHORIZED);
    made_deinit(&below);
    made_deinit(&deep_ca);
    made_deinit(&deep);
}

static void the_dates_of_the_whole_path_count(void **state)
{
    made_certificate ca;
    made_certificate low;

    (void)state;
    assert_int_equal(judge_at(LIST(&direct), &root, START), HUB_OK);
    assert_int_equal(judge_at(LIST(&direct), &root, START - 1), HUB_ERR_UNAUTHORIZED);
    assert_non_null(strstr(fault.text, "not valid yet"));
    assert_int_equal(judge_at(LIST(&direct), &root, END - 1), HUB_OK);
    assert_int_equal(judge_at(LIST(&direct), &root, END), HUB_ERR_UNAUTHORIZED);
    assert_non_null(strstr(fault.text, "has expired"));

    made_init(&ca, &(made_plan){ "Short", &root, START, NOW, true, -1, false });
    made_init(&low, &(made_plan){ "device1", &ca, START, END, false, -1, false });
    assert_int_equal(judge_at(LIST(&low, &ca), &root, NOW - 1), HUB_OK);
    assert_int_equal(judge_at(LIST(&low, &ca), &root, NOW), HUB_ERR_UNAUTHORIZED);
    assert_non_null(strstr(fault.text, "CN=Short has expired"));
    assert_int_equal(judge_at(LIST(&low), &ca, NOW), HUB_ERR_UNAUTHORIZED);
    /* ca is not on the path, and does not matter. */
    assert_int_equal(judge_at(LIST(&direct, &ca), &root, NOW), HUB_OK);
    made_deinit(&ca);
    made_deinit(&low);
}

/* --- thumbprints ------------------------------------------------------- */

static hub_result by_thumbprint(const char *primary, const char *secondary, int64_t now_s)
{
    hub_client_chain chain;

    read_chain(&chain, LIST(&leaf));
    hub_result r = hub_client_chain_check_thumbprint(&chain, primary, secondary, now_s, &fault);
    hub_client_chain_free(&chain);
    return r;
}

static char *lower(const char *text)
{
    char *copy = hub_strdup(text);

    for (char *c = copy; *c != '\0'; c++) {
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
    }
    return copy;
}

static void either_thumbprint_in_either_form_fits(void **state)
{
    hub_certificate *own = authority(&leaf);
    char *small = lower(own->thumbprint);
    char *small256 = lower(own->thumbprint256);
    const char *const forms[] = { own->thumbprint, own->thumbprint256, small, small256 };
    static const char wrong[] = "0123456789ABCDEF0123456789ABCDEF01234567";

    (void)state;
    assert_int_equal(strlen(own->thumbprint), 40);
    assert_int_equal(strlen(own->thumbprint256), 64);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(by_thumbprint(forms[i], NULL, NOW), HUB_OK);
        assert_int_equal(by_thumbprint(NULL, forms[i], NOW), HUB_OK);
        assert_int_equal(by_thumbprint(wrong, forms[i], NOW), HUB_OK);
        assert_int_equal(by_thumbprint(forms[i], wrong, NOW), HUB_OK);
        assert_int_equal(by_thumbprint(forms[i], NULL, END), HUB_ERR_UNAUTHORIZED);
        assert_int_equal(by_thumbprint(forms[i], NULL, START - 1), HUB_ERR_UNAUTHORIZED);
    }
    assert_int_equal(by_thumbprint(wrong, wrong, NOW), HUB_ERR_UNAUTHORIZED);
    assert_non_null(strstr(fault.text, own->thumbprint));
    assert_int_equal(by_thumbprint(NULL, NULL, NOW), HUB_ERR_UNAUTHORIZED);
    assert_int_equal(by_thumbprint("", "", NOW), HUB_ERR_UNAUTHORIZED);
    free(small);
    free(small256);
    hub_certificate_free(own);
}

static void a_part_of_a_thumbprint_does_not_fit(void **state)
{
    hub_certificate *own = authority(&leaf);

    (void)state;
    for (size_t len = 0; len < 64; len++) {
        char *cut = hub_memdup(own->thumbprint256, len);
        assert_int_equal(by_thumbprint(cut, NULL, NOW), HUB_ERR_UNAUTHORIZED);
        free(cut);
    }
    hub_certificate_free(own);
}

static void without_a_certificate_everything_is_refused(void **state)
{
    const hub_client_chain none = { 0 };
    hub_certificate *ca = authority(&root);

    (void)state;
    assert_int_equal(hub_client_chain_check_thumbprint(&none, ca->thumbprint, NULL, NOW, &fault),
                     HUB_ERR_UNAUTHORIZED);
    assert_string_equal(fault.text, "no client certificate");
    assert_int_equal(hub_client_chain_check_path(&none, &ca, 1, NOW, NULL, &fault),
                     HUB_ERR_UNAUTHORIZED);
    hub_certificate_free(ca);
}

/* --- sweeps ------------------------------------------------------------ */

static void every_truncation_of_a_chain_is_refused_or_shorter(void **state)
{
    char *one = made_text(&leaf);
    char *two = made_text(&intermediate);
    char *text = hub_format("%s,%s", one, two);
    hub_client_chain chain;

    (void)state;
    for (size_t len = 0; len <= strlen(text); len++) {
        hub_result r = hub_client_chain_read(&chain, text, len, &fault);
        bool whole =
            len == 0 || len == strlen(one) || len == strlen(one) + 1 || len == strlen(text);
        /* Base64 that ends early at a group of four is still valid; then the DER is cut off. */
        assert_int_equal(r, whole ? HUB_OK : HUB_ERR_ARGUMENT);
        assert_int_equal(chain.count, !whole || len == 0 ? 0 : len == strlen(text) ? 2 : 1);
        hub_client_chain_free(&chain);
    }
    free(text);
    free(one);
    free(two);
}

static void every_changed_byte_of_a_certificate_is_refused(void **state)
{
    hub_certificate *ca = authority(&root);
    char *text = made_text(&direct);
    size_t len;
    uint8_t *der = hub_base64_decode(text, &len);
    hub_client_chain chain = { 0 };

    (void)state;
    for (size_t i = 0; i < len; i++) {
        der[i] ^= 0x01;
        if (hub_certificate_from_der(&chain.items[0], der, len, &fault) == HUB_OK) {
            chain.count = 1;
            assert_int_equal(hub_client_chain_check_path(&chain, &ca, 1, NOW, NULL, &fault),
                             HUB_ERR_UNAUTHORIZED);
            hub_client_chain_free(&chain);
        }
        der[i] ^= 0x01;
    }
    free(der);
    free(text);
    hub_certificate_free(ca);
}

static void a_chain_has_a_limit(void **state)
{
    char *one = made_text(&leaf);
    hub_text text = { 0 };
    hub_client_chain chain;

    (void)state;
    for (size_t i = 0; i <= HUB_CHAIN_MAX; i++) {
        hub_text_str(&text, i > 0 ? "," : "");
        hub_text_str(&text, one);
        hub_result r = hub_client_chain_read(&chain, text.p, text.len, &fault);
        assert_int_equal(r, i < HUB_CHAIN_MAX ? HUB_OK : HUB_ERR_ARGUMENT);
        assert_int_equal(chain.count, i < HUB_CHAIN_MAX ? i + 1 : 0);
        hub_client_chain_free(&chain);
    }
    hub_text_free(&text);
    free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_a_registered_ca),
        cmocka_unit_test(a_missing_link_is_refused_and_named),
        cmocka_unit_test(nobody_is_an_authority_for_itself),
        cmocka_unit_test(only_a_ca_signs),
        cmocka_unit_test(the_dates_of_the_whole_path_count),
        cmocka_unit_test(either_thumbprint_in_either_form_fits),
        cmocka_unit_test(a_part_of_a_thumbprint_does_not_fit),
        cmocka_unit_test(without_a_certificate_everything_is_refused),
        cmocka_unit_test(every_truncation_of_a_chain_is_refused_or_shorter),
        cmocka_unit_test(every_changed_byte_of_a_certificate_is_refused),
        cmocka_unit_test(a_chain_has_a_limit),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
