#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "messages/bag.h"

static hub_result parse(const char *text, hub_bag *out)
{
    hub_fault fault;
    return hub_bag_parse(text, strlen(text), out, &fault);
}

static void null_empty_and_value_are_kept_apart(void **state)
{
    (void)state;
    hub_bag bag;

    assert_int_equal(parse("alone&empty=&both=1", &bag), HUB_OK);

    assert_int_equal(bag.count, 3);
    assert_null(hub_bag_find(&bag, "alone")->value);
    assert_string_equal(hub_bag_find(&bag, "empty")->value, "");
    assert_string_equal(hub_bag_find(&bag, "both")->value, "1");
    hub_bag_free(&bag);
}

static void escapes_are_decoded_and_plus_is_no_space(void **state)
{
    (void)state;
    hub_bag bag;

    assert_int_equal(parse("%24.ct=a%2Fb&%c3%A4=+%20%7e&x=a%3Db", &bag), HUB_OK);

    assert_string_equal(hub_bag_find(&bag, "$.ct")->value, "a/b");
    assert_string_equal(hub_bag_find(&bag, "\xC3\xA4")->value, "+ ~");
    assert_string_equal(hub_bag_find(&bag, "x")->value, "a=b");
    hub_bag_free(&bag);
}

static void what_is_not_percent_encoded_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a=%",   "a=%4",       "a=%4g", "a=%zz",       "a=%00",    "a b=c",    "a=\"",
        "a=<",   "a=\xC3\xA4", "=v",    "&a=1",        "a=1&",     "a=1&&b=2", "a=1&a=2",
        "a&%61", "a=%C3",      "a=%FF", "a=%ED%A0%80", "a=%C0%80", "a=\\",     "a=^",
        "a=`",   "a=|",        "a={",   "a=\x7F",      "a=\x01",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hub_bag bag;
        if (parse(bad[i], &bag) != HUB_ERR_ARGUMENT || bag.items != NULL) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

/* For such a value the hub returns null or closes the connection. The emulator must not accept
 * more. */
static void what_separates_must_be_encoded(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a=b/c", "a=/b", "a/b=c", "/a=b",  "a=b=c", "a==",    "a==b",  "a=b#c", "#a=b",
        "a=#",   "a/b",  "/",     "a=b&/", "x&a/b", "a=b&&c", "a=b&=", "&",     "a=1&b=2/3",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hub_bag bag;
        if (parse(bad[i], &bag) != HUB_ERR_ARGUMENT || bag.items != NULL) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    hub_bag bag;
    assert_int_equal(parse("a%2Fb%3D=%23%26%2F%3D", &bag), HUB_OK);
    assert_string_equal(bag.items[0].name, "a/b=");
    assert_string_equal(bag.items[0].value, "#&/=");
    hub_bag_free(&bag);
}

static void only_the_given_length_is_read(void **state)
{
    (void)state;
    hub_bag bag;
    hub_fault fault;
    static const char text[] = { 'a', '=', '1', '&', 'b', '/' };

    assert_int_equal(hub_bag_parse(text, 5, &bag, &fault), HUB_OK);
    assert_int_equal(bag.count, 2);
    assert_string_equal(bag.items[1].name, "b");
    hub_bag_free(&bag);
}

static void a_name_is_found_however_many_there_are(void **state)
{
    (void)state;
    hub_text t = { 0 };
    hub_fault fault;
    hub_bag bag;
    char name[16];

    for (int count = 1; count < 50; count++) {
        t.len = 0;
        for (int i = 0; i < count; i++) {
            hub_text_printf(&t, "%sp%d=%d", i > 0 ? "&" : "", i, i);
        }
        assert_int_equal(parse(t.p, &bag), HUB_OK);
        for (int i = 0; i < count; i++) {
            (void)snprintf(name, sizeof name, "p%d", i);
            assert_ptr_equal(hub_bag_find(&bag, name), &bag.items[i]);
        }
        assert_null(hub_bag_find(&bag, "p"));
        hub_bag_add(&bag, "p0", "again");
        assert_ptr_equal(hub_bag_find(&bag, "p0"), &bag.items[0]);
        hub_bag_free(&bag);

        hub_text_printf(&t, "&%%70%d", count / 2);
        assert_int_equal(hub_bag_parse(t.p, t.len, &bag, &fault), HUB_ERR_ARGUMENT);
        assert_non_null(strstr(fault.text, "is given twice"));
    }
    hub_text_free(&t);
}

static void an_empty_bag_is_fine(void **state)
{
    (void)state;
    hub_bag bag;

    assert_int_equal(parse("", &bag), HUB_OK);
    assert_int_equal(bag.count, 0);
}

static void every_character_comes_back_from_the_wire(void **state)
{
    (void)state;
    char value[256] = "";
    hub_bag bag = { 0 };
    hub_text wire = { 0 };
    hub_bag back;

    for (size_t i = 1; i < 128; i++) {
        value[i - 1] = (char)i;
    }
    strcat(value, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    hub_bag_add(&bag, value, value);
    hub_bag_add(&bag, "alone", NULL);
    hub_bag_format(&bag, &wire);
    assert_null(strchr(wire.p, '~'));
    assert_int_equal(parse(wire.p, &back), HUB_OK);

    assert_string_equal(hub_bag_find(&back, value)->value, value);
    assert_null(hub_bag_find(&back, "alone")->value);
    hub_bag_free(&bag);
    hub_bag_free(&back);
    hub_text_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_empty_and_value_are_kept_apart),
        cmocka_unit_test(escapes_are_decoded_and_plus_is_no_space),
        cmocka_unit_test(what_is_not_percent_encoded_is_refused),
        cmocka_unit_test(what_separates_must_be_encoded),
        cmocka_unit_test(only_the_given_length_is_read),
        cmocka_unit_test(a_name_is_found_however_many_there_are),
        cmocka_unit_test(an_empty_bag_is_fine),
        cmocka_unit_test(every_character_comes_back_from_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
