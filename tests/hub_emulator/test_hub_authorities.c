/* The list of CAs and its file. */

#include <stdlib.h>
#include <string.h>

#include "hub_fixture.h"
#include "made_certificates.h"
#include "registry/authorities.h"

static made_certificate root;
static hub_fault fault;

static int make_all(void **state)
{
    (void)state;
    made_init(&root, &(made_plan){ "Root", NULL, 1000, 2000, true, -1, false });
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    made_deinit(&root);
    return 0;
}

static void add_root(hub_fixture *f)
{
    char *pem = made_pem(&root);
    const hub_certificate *ca = NULL;

    assert_int_equal(
        hub_authorities_add(&f->hub.registry.authorities, &f->hub.registry.store, pem, &ca, &fault),
        HUB_OK);
    assert_string_equal(ca->name, "Root");
    free(pem);
}

static void the_list_survives_a_restart(void **state)
{
    hub_fixture *f = *state;

    add_root(f);
    fixture_restart(f);
    assert_int_equal(f->hub.registry.authorities.count, 1);
    assert_string_equal(f->hub.registry.authorities.items[0]->name, "Root");
}

static void a_damaged_file_is_set_aside(void **state)
{
    hub_fixture *f = *state;

    add_root(f);
    assert_int_equal(hub_store_write(&f->hub.registry.store, "authorities.json", "{}", 2, &fault),
                     HUB_OK);
    fixture_restart(f);
    assert_int_equal(f->hub.registry.authorities.count, 0);
    assert_non_null(strstr(f->notices, "authorities.json"));
    assert_true(hub_store_has_aside(&f->hub.registry.store, "authorities.json"));
}

static void the_cas_of_the_emulator_itself_are_in_no_file_and_cannot_be_removed(void **state)
{
    hub_fixture *f = *state;
    hub_authorities *a = &f->hub.registry.authorities;
    made_certificate own;
    hub_certificate *ca;

    made_init(&own, &(made_plan){ "Own", NULL, 1000, 2000, true, -1, false });
    char *text = made_text(&own);
    assert_int_equal(hub_certificate_from_text(&ca, text, &fault), HUB_OK);
    add_root(f);
    hub_authorities_add_own(a, ca);
    assert_int_equal(a->count, 2);
    assert_int_equal(hub_authorities_remove(a, &f->hub.registry.store, ca->thumbprint, &fault),
                     HUB_ERR_NO_RESOURCE);
    char *pem = made_pem(&own);
    assert_int_equal(hub_store_write(&f->hub.registry.store, "ca.crt", pem, strlen(pem), &fault),
                     HUB_OK);
    fixture_restart(f);
    assert_int_equal(a->count, 2);
    assert_int_equal(a->own, 1);
    assert_string_equal(a->items[0]->name, "Own");
    assert_string_equal(a->items[1]->name, "Root");
    free(pem);
    free(text);
    made_deinit(&own);
}

static void the_list_has_a_limit(void **state)
{
    hub_fixture *f = *state;
    hub_authorities *a = &f->hub.registry.authorities;

    for (size_t i = 0; i <= HUB_AUTHORITIES_MAX; i++) {
        made_certificate ca;
        const hub_certificate *out;
        made_init(&ca, &(made_plan){ "CA", NULL, 1000, 2000, true, -1, false });
        char *text = made_text(&ca);
        hub_result r = hub_authorities_add(a, &f->hub.registry.store, text, &out, &fault);
        assert_int_equal(r, i < HUB_AUTHORITIES_MAX ? HUB_OK : HUB_ERR_ARGUMENT);
        free(text);
        made_deinit(&ca);
    }
    assert_int_equal(a->count, HUB_AUTHORITIES_MAX);
}

#define WITH_HUB(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HUB(the_list_survives_a_restart),
        WITH_HUB(a_damaged_file_is_set_aside),
        WITH_HUB(the_cas_of_the_emulator_itself_are_in_no_file_and_cannot_be_removed),
        WITH_HUB(the_list_has_a_limit),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
