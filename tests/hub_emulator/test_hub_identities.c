#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/identities.h"

#define DEVICES 20
#define MODULES 3

static hub_identity *add(hub_identities *l, unsigned number, const char *device, const char *module)
{
    hub_identity *id = hub_identity_new(number, device, module, 0);

    hub_identities_insert(l, id);
    return id;
}

/* Returns devices d0 to d19 with modules m0 to m2, in mixed order. */
static hub_identities crowd(void)
{
    hub_identities l = { 0 };

    for (unsigned n = 0; n < DEVICES; n++) {
        char device[16];
        unsigned mixed = n * 7 % DEVICES;
        (void)snprintf(device, sizeof device, "d%u", mixed);
        for (unsigned m = MODULES; m-- > 0;) {
            char module[16];
            (void)snprintf(module, sizeof module, "m%u", m);
            (void)add(&l, 100 * mixed + m + 1, device, module);
        }
        (void)add(&l, 100 * mixed + 99, device, NULL);
    }
    return l;
}

static void identities_are_in_the_order_of_their_client_ids(void **state)
{
    hub_identities l = crowd();

    (void)state;
    assert_int_equal(l.count, DEVICES * (1 + MODULES));
    for (size_t i = 1; i < l.count; i++) {
        assert_true(strcmp(l.items[i - 1]->client_id, l.items[i]->client_id) < 0);
    }
    hub_identities_free(&l);
    assert_int_equal(l.count, 0);
}

static void each_identity_is_found_by_its_names_and_by_its_client_id(void **state)
{
    hub_identities l = crowd();

    (void)state;
    for (size_t i = 0; i < l.count; i++) {
        hub_identity *id = l.items[i];
        assert_ptr_equal(hub_identities_find(&l, id->device, id->module), id);
        assert_ptr_equal(hub_identities_find_client(&l, id->client_id), id);
        assert_int_equal(hub_identities_after(&l, id->client_id), i + 1);
    }
    hub_identities_free(&l);
}

static void names_that_are_not_there_find_nothing(void **state)
{
    hub_identities l = crowd();

    (void)state;
    assert_null(hub_identities_find(&l, "d", NULL));
    assert_null(hub_identities_find(&l, "d00", NULL));
    assert_null(hub_identities_find(&l, "d1", "m9"));
    /* "d1/m1" is a client id and not a device id. */
    assert_null(hub_identities_find(&l, "d1/m1", NULL));
    assert_null(hub_identities_find_client(&l, ""));
    assert_int_equal(hub_identities_after(&l, ""), 0);
    assert_int_equal(hub_identities_after(&l, "z"), l.count);
    hub_identities_free(&l);
}

static void the_modules_of_a_device_are_adjacent(void **state)
{
    hub_identities l = crowd();
    size_t count;

    (void)state;
    for (unsigned n = 0; n < DEVICES; n++) {
        char device[16];
        (void)snprintf(device, sizeof device, "d%u", n);
        hub_identity *const *modules = hub_identities_modules(&l, device, &count);
        assert_int_equal(count, MODULES);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(modules[i]->device, device);
            assert_int_equal(modules[i]->module[1] - '0', i);
        }
    }
    assert_null(hub_identities_modules(&l, "d", &count));
    assert_int_equal(count, 0);
    hub_identities_free(&l);
}

static void an_identity_that_is_taken_out_belongs_to_the_caller(void **state)
{
    hub_identities l = crowd();

    (void)state;
    while (l.count > 0) {
        hub_identity *id = l.items[l.count / 2];
        size_t before = l.count;
        hub_identities_take_out(&l, id);
        assert_int_equal(l.count, before - 1);
        assert_null(hub_identities_find_client(&l, id->client_id));
        hub_identities_take_out(&l, id); /* the identity is not in the list any more */
        assert_int_equal(l.count, before - 1);
        hub_identity_free(id);
    }
    hub_identities_free(&l);
}

static void a_number_is_never_given_away_again(void **state)
{
    hub_identities l = { 0 };

    (void)state;
    hub_identity *id = add(&l, 7, "a", NULL);
    assert_int_equal(l.last_number, 7);
    hub_identities_take_out(&l, id);
    hub_identity_free(id);
    assert_int_equal(l.last_number, 7);
    hub_identities_note_number(&l, 5);
    assert_int_equal(l.last_number, 7);
    hub_identities_note_number(&l, 9);
    assert_int_equal(l.last_number, 9);
    hub_identities_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_in_the_order_of_their_client_ids),
        cmocka_unit_test(each_identity_is_found_by_its_names_and_by_its_client_id),
        cmocka_unit_test(names_that_are_not_there_find_nothing),
        cmocka_unit_test(the_modules_of_a_device_are_adjacent),
        cmocka_unit_test(an_identity_that_is_taken_out_belongs_to_the_caller),
        cmocka_unit_test(a_number_is_never_given_away_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
