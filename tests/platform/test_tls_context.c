#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_of_one_file_share_a_context_until_the_last_has_left),
        cmocka_unit_test(each_file_has_a_context_of_its_own),
        cmocka_unit_test(a_file_without_roots_leaves_no_context_behind),
        cmocka_unit_test(whole_names_of_offered_suites_and_groups_are_safe),
    };
    return cmocka_run_group_tests(tests, make_everything, remove_everything);
}
