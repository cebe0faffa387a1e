#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/x509/name.h"

#define DER(literal)                                    \
    (plat_der)                                          \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

/* Returns a name with a single part, a common name. */
static plat_der name_of(uint8_t *room, uint8_t tag, const char *text, size_t len)
{
    const uint8_t head[] = {
        0x31, (uint8_t)(len + 9), 0x30, (uint8_t)(len + 7), 0x06, 3, 0x55, 4, 3, tag, (uint8_t)len
    };
    memcpy(room, head, sizeof head);
    memcpy(room + sizeof head, text, len);
    return (plat_der){ room, sizeof head + len };
}

static void names_differ_neither_by_case_nor_by_spaces_nor_by_encoding(void **state)
{
    (void)state;
    static const struct {
        uint8_t tag;
        const char *text;
        size_t len;
        bool same; /* whether it is equal to the UTF8String "Test Caf\xc3\xa9" */
    } cases[] = {
        { PLAT_DER_UTF8_STRING, "Test Caf\xc3\xa9", 10, true },
        { PLAT_DER_UTF8_STRING, "tEST cAF\xc3\xa9", 10, true },
        { PLAT_DER_UTF8_STRING, "  Test \t  Caf\xc3\xa9 ", 16, true },
        { PLAT_DER_T61_STRING, "Test Caf\xe9", 9, true },
        { PLAT_DER_BMP_STRING, "\0T\0e\0s\0t\0 \0C\0a\0f\0\xe9", 18, true },
        { PLAT_DER_UNIVERSAL_STRING,
          "\0\0\0T\0\0\0e\0\0\0s\0\0\0t\0\0\0 \0\0\0C\0\0\0a\0\0\0f\0\0\0\xe9", 36, true },
        /* Upper and lower case are equal only in ASCII. */
        { PLAT_DER_UTF8_STRING, "Test Caf\xc3\x89", 10, false },
        { PLAT_DER_UTF8_STRING, "TestCaf\xc3\xa9", 9, false },
        { PLAT_DER_UTF8_STRING, "Test Caf", 8, false },
        { PLAT_DER_UTF8_STRING, "Test Caf\xc3\xa9s", 11, false },
        { PLAT_DER_UTF8_STRING, "", 0, false },
        { PLAT_DER_NUMERIC_STRING, "Test Caf\xc3\xa9", 10, false },
        { PLAT_DER_BIT_STRING, "\x07Test Caf", 9, false },
    };
    uint8_t a_room[128], b_room[128];
    const plat_der a = name_of(a_room, PLAT_DER_UTF8_STRING, "Test Caf\xc3\xa9", 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const plat_der b = name_of(b_room, cases[i].tag, cases[i].text, cases[i].len);
        assert_true(plat_name_is_sound(b));
        assert_int_equal(plat_name_equals(a, b), cases[i].same);
        assert_int_equal(plat_name_equals(b, a), cases[i].same);
        assert_int_equal(plat_name_is_below(b, a), cases[i].same);
        assert_true(!cases[i].same || plat_name_hash(a) == plat_name_hash(b));
    }
}

static void text_that_is_not_valid_in_its_encoding_is_no_name(void **state)
{
    (void)state;
    static const struct {
        uint8_t tag;
        const char *text;
        size_t len;
    } cases[] = {
        { PLAT_DER_UTF8_STRING, "\xc3", 1 },
        { PLAT_DER_BIT_STRING, "\x08", 1 },
        { PLAT_DER_BIT_STRING, "", 0 },
        { PLAT_DER_OCTET_STRING, "Test", 4 },
        { PLAT_DER_SEQUENCE, "", 0 },
        { PLAT_DER_CONTEXT + 1, "Test", 4 },
        { PLAT_DER_UTF8_STRING, "a\x80", 2 },
        { PLAT_DER_UTF8_STRING, "\xc0\x80", 2 },
        { PLAT_DER_UTF8_STRING, "\xe0\x80\x80", 3 },
        { PLAT_DER_UTF8_STRING, "\xed\xa0\x80", 3 },
        { PLAT_DER_UTF8_STRING, "\xf4\x90\x80\x80", 4 },
        { PLAT_DER_UTF8_STRING, "\xff", 1 },
        { PLAT_DER_BMP_STRING, "\0a\0", 3 },
        { PLAT_DER_UNIVERSAL_STRING, "\0\0a", 3 },
    };
    uint8_t room[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(plat_name_is_sound(name_of(room, cases[i].tag, cases[i].text, cases[i].len)));
    }
    assert_true(plat_name_is_sound((plat_der){ room, 0 }));
    assert_false(plat_name_is_sound(DER("\x31\x00")));
}

/* --- names of several parts --- */

/* Concatenates names that have one part each. */
static plat_der joined(uint8_t *room, const plat_der *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(room + len, parts[i].at, parts[i].len);
        len += parts[i].len;
    }
    return (plat_der){ room, len };
}

static void a_name_is_below_each_of_its_beginnings(void **state)
{
    (void)state;
    uint8_t rooms[3][64], whole_room[256], part_room[256];
    plat_der parts[3];
    static const char *const texts[] = { "com", "Example", "Devices" };
    for (size_t i = 0; i < 3; i++) {
        parts[i] = name_of(rooms[i], PLAT_DER_UTF8_STRING, texts[i], strlen(texts[i]));
    }
    const plat_der whole = joined(whole_room, parts, 3);
    for (size_t count = 0; count <= 3; count++) {
        const plat_der part = joined(part_room, parts, count);
        assert_true(plat_name_is_below(whole, part));
        assert_int_equal(plat_name_is_below(part, whole), count == 3);
        assert_int_equal(plat_name_equals(part, whole), count == 3);
    }
    const plat_der turned[] = { parts[1], parts[0], parts[2] };
    assert_false(plat_name_equals(whole, joined(part_room, turned, 3)));
    assert_false(plat_name_is_below(whole, joined(part_room, turned, 2)));
}

static void a_name_that_is_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    uint8_t rooms[2][64], room[128];
    const plat_der parts[] = { name_of(rooms[0], PLAT_DER_PRINTABLE_STRING, "Acme", 4),
                               name_of(rooms[1], PLAT_DER_UTF8_STRING, "Device", 6) };
    const plat_der whole = joined(room, parts, 2);
    for (size_t len = 1; len < whole.len; len++) {
        assert_int_equal(plat_name_is_sound((plat_der){ whole.at, len }), len == parts[0].len);
    }
}

static void an_email_attribute_is_found_in_any_part(void **state)
{
    (void)state;
    static const char email[] =
        "\x31\x14\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x16\x05"
        "a@b.c";
    uint8_t room[64], all[128];
    const plat_der mail = { (const uint8_t *)email, sizeof email - 1 };
    const plat_der name = name_of(room, PLAT_DER_UTF8_STRING, "Device", 6);
    assert_true(plat_name_is_sound(mail));
    assert_false(plat_name_has_email(name));
    assert_true(plat_name_has_email(mail));
    assert_true(plat_name_has_email(joined(all, (const plat_der[]){ name, mail }, 2)));
    assert_true(plat_name_has_email(joined(all, (const plat_der[]){ mail, name }, 2)));
}

/* --- general names --- */

#define BYTES(literal)                                  \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

static void each_kind_of_general_name_is_read_and_each_cut_refused(void **state)
{
    (void)state;
    static const struct {
        plat_der der;
        plat_general_kind kind;
        size_t len;
    } cases[] = {
        { BYTES("\x82\x05hub.x"), PLAT_GENERAL_DNS, 5 },
        { BYTES("\x81\x05"
                "a@b.c"),
          PLAT_GENERAL_EMAIL, 5 },
        { BYTES("\x86\x04u://"), PLAT_GENERAL_URI, 4 },
        { BYTES("\x87\x04\x7f\x00\x00\x01"), PLAT_GENERAL_IP, 4 },
        { BYTES("\x88\x01\x2a"), PLAT_GENERAL_REGISTERED, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_general_name name;
        plat_der in = cases[i].der;
        assert_true(plat_general_next(&in, &name));
        assert_int_equal(name.kind, cases[i].kind);
        assert_int_equal(name.value.len, cases[i].len);
        assert_int_equal(in.len, 0);
        for (size_t len = 0; len < cases[i].der.len; len++) {
            in = (plat_der){ cases[i].der.at, len };
            assert_false(plat_general_next(&in, &name));
        }
    }
}

static void a_directory_name_inside_a_general_name_is_checked(void **state)
{
    (void)state;
    uint8_t room[64], good[96], bad[96];
    const plat_der name = name_of(room, PLAT_DER_UTF8_STRING, "Device", 6);
    const uint8_t head[] = { 0xa4, (uint8_t)(name.len + 2), 0x30, (uint8_t)name.len };
    memcpy(good, head, sizeof head);
    memcpy(good + sizeof head, name.at, name.len);
    memcpy(bad, good, sizeof good);
    bad[sizeof head + name.len - 1] = 0xff; /* makes the text invalid as UTF-8 */
    plat_general_name out;
    plat_der in = { good, sizeof head + name.len };
    assert_true(plat_general_next(&in, &out));
    assert_int_equal(out.kind, PLAT_GENERAL_DIRECTORY);
    assert_true(plat_name_equals(out.value, name));
    in = (plat_der){ bad, sizeof head + name.len };
    assert_false(plat_general_next(&in, &out));
}

static void the_last_common_name_is_returned_as_utf8(void **state)
{
    (void)state;
    static const struct {
        uint8_t tag;
        const char *text;
        size_t len;
        const char *wanted; /* NULL if there is no common name */
    } cases[] = {
        { PLAT_DER_UTF8_STRING, "device-1", 8, "device-1" },
        { PLAT_DER_PRINTABLE_STRING, "device-1", 8, "device-1" },
        { PLAT_DER_T61_STRING, "Caf\xe9", 4, "Caf\xc3\xa9" },
        { PLAT_DER_BMP_STRING, "\0C\x20\xac", 4, "C\xe2\x82\xac" },
        { PLAT_DER_UNIVERSAL_STRING, "\0\1\xf6\0", 4, "\xf0\x9f\x98\x80" },
        { PLAT_DER_UTF8_STRING, "12345678901", 11, "12345678901" },
        { PLAT_DER_UTF8_STRING, "123456789012", 12, NULL }, /* there is no room for the NUL */
        { PLAT_DER_UTF8_STRING, "", 0, NULL },
        { PLAT_DER_UTF8_STRING, "a\0b", 3, NULL },
        { PLAT_DER_UTF8_STRING, "a\nb", 3, NULL },
        { PLAT_DER_T61_STRING, "a\x80", 2, NULL },
        { PLAT_DER_BMP_STRING, "\xd8\0\xdc\0", 4, NULL },
        { PLAT_DER_UNIVERSAL_STRING, "\0\x11\0\0", 4, NULL },
        { PLAT_DER_BIT_STRING, "\0a", 2, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t room[256];
        char out[12] = "before";
        plat_der name = name_of(room, PLAT_DER_UTF8_STRING, "first", 5);
        plat_der last = name_of(room + name.len, cases[i].tag, cases[i].text, cases[i].len);
        name.len += last.len;
        assert_int_equal(plat_name_common_name(name, out, sizeof out), cases[i].wanted != NULL);
        assert_string_equal(out, cases[i].wanted != NULL ? cases[i].wanted : "");
    }
    char out[12] = "before";
    assert_false(plat_name_common_name(DER(""), out, sizeof out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_differ_neither_by_case_nor_by_spaces_nor_by_encoding),
        cmocka_unit_test(text_that_is_not_valid_in_its_encoding_is_no_name),
        cmocka_unit_test(a_name_is_below_each_of_its_beginnings),
        cmocka_unit_test(a_name_that_is_cut_short_anywhere_is_refused),
        cmocka_unit_test(an_email_attribute_is_found_in_any_part),
        cmocka_unit_test(each_kind_of_general_name_is_read_and_each_cut_refused),
        cmocka_unit_test(the_last_common_name_is_returned_as_utf8),
        cmocka_unit_test(a_directory_name_inside_a_general_name_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
