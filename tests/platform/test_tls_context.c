#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "tls_fixture.h"
#include "wolfssl/tls/tls_context.h"

static plat_tls_profile *acquire_as(const plat_stream_config *config)
{
    plat_tls_profile *p = NULL;
    plat_roots_fault fault;
    plat_result r = plat_tls_profile_acquire(config, &p, &fault);
    if (r != PLAT_OK) {
        fail_msg("%s", fault.why != NULL ? fault.why : plat_result_str(r));
    }
    return p;
}

static plat_tls_context *acquire(const char *file)
{
    return acquire_as(&(plat_stream_config){ .ca_file = file })->context;
}

static void release(plat_tls_context *c)
{
    plat_tls_profile_release(&c->plain[PLAT_TLS_RANGE_ALL]);
}

static void users_of_one_file_share_a_context_until_the_last_has_left(void **state)
{
    (void)state;
    enum { USERS = 40 };
    plat_tls_context *first = acquire(ca_file);
    for (unsigned i = 1; i < USERS; i++) {
        assert_ptr_equal(acquire(ca_file), first);
        assert_int_equal(first->users, i + 1);
    }
    assert_int_equal(first->sessions.limit, USERS / PLAT_SESSION_STREAMS);
    for (unsigned i = USERS; i > 1; i--) {
        release(first);
        assert_int_equal(first->users, i - 1);
    }
    assert_int_equal(first->sessions.limit, PLAT_SESSIONS_MIN);
    release(first);
}

static void each_file_has_a_context_of_its_own(void **state)
{
    (void)state;
    static const pki_cert *const one[] = { &root };
    char path[256];
    strncpy(path, ca_file, sizeof path - 1);
    path[sizeof path - 1] = '\0';
    const char *other_file = pki_write_pem("other.pem", one, 1);
    plat_tls_context *a = acquire(ca_file);
    plat_tls_context *b = acquire(other_file);
    assert_ptr_not_equal(a, b);
    /* Contexts are shared by the content of the name, not by its address. */
    assert_ptr_equal(acquire(path), a);
    assert_int_equal(a->roots.count, 2);
    assert_int_equal(b->roots.count, 1);
    release(a);
    release(b);
    release(a);
}

static void a_file_without_roots_leaves_no_context_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        plat_tls_profile *p = NULL;
        const plat_stream_config config = { .ca_file = "/nonexistent/roots.pem" };
        plat_roots_fault fault;
        assert_int_equal(plat_tls_profile_acquire(&config, &p, &fault), PLAT_ERR_TRUST_STORE);
        assert_null(p);
        assert_string_equal(fault.file, "/nonexistent/roots.pem");
        assert_non_null(fault.why);
    }
}

static void a_stream_without_a_certificate_needs_no_memory_for_a_profile(void **state)
{
    (void)state;
    static const struct {
        plat_tls_version min, max;
        plat_tls_range range;
    } cases[] = {
        { PLAT_TLS_ANY, PLAT_TLS_ANY, PLAT_TLS_RANGE_ALL },
        { PLAT_TLS_1_2, PLAT_TLS_1_3, PLAT_TLS_RANGE_ALL },
        { PLAT_TLS_ANY, PLAT_TLS_1_2, PLAT_TLS_RANGE_1_2 },
        { PLAT_TLS_1_2, PLAT_TLS_1_2, PLAT_TLS_RANGE_1_2 },
        { PLAT_TLS_1_3, PLAT_TLS_ANY, PLAT_TLS_RANGE_1_3 },
        { PLAT_TLS_1_3, PLAT_TLS_1_3, PLAT_TLS_RANGE_1_3 },
    };
    plat_tls_context *c = acquire(ca_file);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_tls_profile *p = acquire_as(&(plat_stream_config){
            .ca_file = ca_file, .min_version = cases[i].min, .max_version = cases[i].max });
        assert_ptr_equal(p, &c->plain[cases[i].range]);
        assert_int_equal(plat_tls_profile_allows(p, "TLSv1.2"),
                         cases[i].range != PLAT_TLS_RANGE_1_3);
        assert_int_equal(plat_tls_profile_allows(p, "TLSv1.3"),
                         cases[i].range != PLAT_TLS_RANGE_1_2);
        assert_false(plat_tls_profile_allows(p, "TLSv1.1"));
        assert_int_equal(c->users, 2);
        plat_tls_profile_release(p);
    }
    release(c);
}

static void versions_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const plat_tls_version bad[][2] = {
        { PLAT_TLS_1_3, PLAT_TLS_1_2 },
        { (plat_tls_version)1, PLAT_TLS_ANY },
        { PLAT_TLS_ANY, (plat_tls_version)4 },
    };
    for (size_t i = 0; i < 3; i++) {
        plat_tls_profile *p = NULL;
        plat_roots_fault fault;
        const plat_stream_config config = { .ca_file = ca_file,
                                            .min_version = bad[i][0],
                                            .max_version = bad[i][1] };
        assert_int_equal(plat_tls_profile_acquire(&config, &p, &fault), PLAT_ERR_ARG);
        assert_null(p);
        assert_non_null(strstr(fault.why, "min_version"));
    }
}

static void a_stream_with_a_certificate_has_its_own_profile_and_shares_the_roots(void **state)
{
    (void)state;
    plat_identity *identity = device_identity_of(0);
    const plat_stream_config config = { .ca_file = ca_file, .identity = identity };
    plat_tls_profile *a = acquire_as(&config);
    plat_tls_profile *b = acquire_as(&config);
    plat_tls_profile *was = a;
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a->context, b->context);
    assert_ptr_equal(a->login.identity, identity);
    assert_int_equal(identity->users, 3);
    assert_int_equal(plat_tls_profile_change(&a, NULL), PLAT_OK);
    assert_ptr_not_equal(a, was);
    assert_ptr_equal(a, &b->context->plain[PLAT_TLS_RANGE_ALL]);
    assert_int_equal(identity->users, 2);
    assert_int_equal(a->context->users, 2);
    plat_tls_profile_release(a);
    plat_tls_profile_release(b);
    assert_int_equal(identity->users, 1);
    plat_wolfssl_identities.release(identity);
}

static void whole_names_of_offered_suites_and_groups_are_safe(void **state)
{
    (void)state;
    static const char *const suites[] = { "TLS13-AES128-GCM-SHA256",
                                          "TLS13-CHACHA20-POLY1305-SHA256",
                                          "ECDHE-RSA-AES256-GCM-SHA384" };
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        char part[64];
        assert_true(plat_tls_suite_is_safe(suites[i]));
        strcpy(part, suites[i]);
        part[strlen(part) - 1] = '\0';
        assert_false(plat_tls_suite_is_safe(part));
        assert_false(plat_tls_suite_is_safe(suites[i] + 1));
    }
    assert_false(plat_tls_suite_is_safe("ECDHE-RSA-AES128-SHA256"));
    assert_false(plat_tls_suite_is_safe("NULL-SHA256"));
    assert_true(plat_tls_group_is_safe("X25519"));
    assert_true(plat_tls_group_is_safe("SECP521R1"));
    assert_false(plat_tls_group_is_safe("SECP224R1"));
    assert_false(plat_tls_group_is_safe("FFDHE_2048"));
    assert_false(plat_tls_group_is_safe(NULL));
}

static int make_all(void **state)
{
    make_everything(state);
    make_devices();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_of_one_file_share_a_context_until_the_last_has_left),
        cmocka_unit_test(each_file_has_a_context_of_its_own),
        cmocka_unit_test(a_file_without_roots_leaves_no_context_behind),
        cmocka_unit_test(a_stream_without_a_certificate_needs_no_memory_for_a_profile),
        cmocka_unit_test(versions_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_stream_with_a_certificate_has_its_own_profile_and_shares_the_roots),
        cmocka_unit_test(whole_names_of_offered_suites_and_groups_are_safe),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
