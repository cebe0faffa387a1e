#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/x509/extensions.h"

/* A list of extensions that is encoded by hand; each has the OID 2.5.29.x and a value shorter
 * than 100 bytes. */

typedef struct list {
    uint8_t bytes[4096];
    size_t len;
} list;

static void put(list *l, const void *bytes, size_t len)
{
    memcpy(l->bytes + l->len, bytes, len);
    l->len += len;
}

static void add(list *l, uint8_t number, bool critical, const char *value, size_t len)
{
    static const uint8_t flag[] = { 0x01, 1, 0xff };
    const size_t inner = 5 + (critical ? sizeof flag : 0) + 2 + len;
    const uint8_t head[] = { 0x30, (uint8_t)inner, 0x06, 3, 0x55, 0x1d, number };
    const uint8_t octets[] = { 0x04, (uint8_t)len };
    put(l, head, sizeof head);
    put(l, flag, critical ? sizeof flag : 0);
    put(l, octets, sizeof octets);
    put(l, value, len);
}

#define ADD(l, number, critical, literal) \
    add((l), (number), (critical), (literal), sizeof(literal) - 1)

static const char *read(plat_extensions *x, const list *l)
{
    return plat_extensions_read(x, (plat_der){ l->bytes, l->len });
}

enum { KEY_USAGE = 15, ALT_NAMES = 17, BASIC_CONSTRAINTS = 19, PURPOSES = 37, UNKNOWN = 99 };

static void no_extensions_leave_everything_empty(void **state)
{
    (void)state;
    plat_extensions x;
    const list none = { .len = 0 };
    memset(&x, 0xff, sizeof x);
    assert_null(read(&x, &none));
    assert_false(x.is_ca || x.has_path_len || x.has_usage || x.has_purposes || x.has_alt_names);
    assert_false(x.alt_names_are_critical || x.has_constraints || x.is_for_servers);
    assert_int_equal(x.key_id.len + x.alt_names.len + x.constraints.len, 0);
}

static void each_extension_is_read_into_its_fields(void **state)
{
    (void)state;
    plat_extensions x;
    list l = { .len = 0 };
    ADD(&l, BASIC_CONSTRAINTS, true, "\x30\x06\x01\x01\xff\x02\x01\x02");
    ADD(&l, KEY_USAGE, true, "\x03\x02\x02\x84");
    ADD(&l, PURPOSES, false, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01");
    ADD(&l, ALT_NAMES, true, "\x30\x07\x82\x05hub.x");
    ADD(&l, 14, false, "\x04\x01\x07");
    ADD(&l, 35, false, "\x30\x03\x80\x01\x08");
    ADD(&l, 30, true, "\x30\x00");
    assert_null(read(&x, &l));
    assert_true(x.is_ca && x.has_path_len && x.has_usage && x.has_purposes && x.is_for_servers);
    assert_int_equal(x.path_len, 2);
    assert_int_equal(x.usage, PLAT_USAGE_DIGITAL_SIGNATURE | PLAT_USAGE_KEY_CERT_SIGN);
    assert_true(x.has_alt_names && x.alt_names_are_critical && x.has_constraints);
    assert_int_equal(x.alt_names.len, 7);
    assert_true(plat_der_is(x.key_id, "\x07"));
    assert_true(plat_der_is(x.authority_key_id, "\x08"));
}

static void a_critical_extension_that_is_not_processed_is_a_flaw(void **state)
{
    (void)state;
    for (int critical = 0; critical <= 1; critical++) {
        plat_extensions x;
        list l = { .len = 0 };
        ADD(&l, UNKNOWN, critical != 0, "\x05\x00");
        assert_int_equal(read(&x, &l) != NULL, critical);
    }
}

static void what_must_not_be_critical_or_repeated_is_a_flaw(void **state)
{
    (void)state;
    plat_extensions x;
    list key_id = { .len = 0 }, twice = { .len = 0 }, policy = { .len = 0 };
    ADD(&key_id, 14, true, "\x04\x01\x07");
    assert_non_null(read(&x, &key_id));
    ADD(&twice, UNKNOWN, false, "\x05\x00");
    ADD(&twice, UNKNOWN, false, "\x05\x00");
    assert_non_null(strstr(read(&x, &twice), "twice"));
    ADD(&policy, 36, false, "\x30\x00");
    assert_non_null(strstr(read(&x, &policy), "policy constraints"));
}

static void malformed_values_are_a_flaw(void **state)
{
    (void)state;
    static const struct {
        uint8_t number;
        const char *value;
        size_t len;
    } cases[] = {
        { BASIC_CONSTRAINTS, "\x30\x03\x01\x01", 4 }, /* cut */
        /* A BOOLEAN with the value 1, which DER does not allow. */
        { BASIC_CONSTRAINTS, "\x30\x03\x01\x01\x01", 5 },
        { BASIC_CONSTRAINTS, "\x30\x06\x01\x01\xff\x02\x01\xff", 8 }, /* a path length of -1 */
        { KEY_USAGE, "\x03\x02\x08\x80", 4 },                         /* claims eight unused bits */
        { KEY_USAGE, "\x03\x02\x07\x84", 4 }, /* some of the unused bits are set */
        { PURPOSES, "\x30\x00", 2 },
        { ALT_NAMES, "\x30\x00", 2 },
        { ALT_NAMES, "\x30\x05\x87\x03\x0a\x00\x00", 7 }, /* an address of 3 bytes */
        { 14, "\x04\x01", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_extensions x;
        list l = { .len = 0 };
        add(&l, cases[i].number, false, cases[i].value, cases[i].len);
        if (read(&x, &l) == NULL) {
            fail_msg("case %zu passed", i);
        }
    }
}

static void a_list_that_is_cut_anywhere_is_a_flaw(void **state)
{
    (void)state;
    plat_extensions x;
    list l = { .len = 0 };
    ADD(&l, UNKNOWN, false, "\x05\x00");
    const size_t first = l.len;
    ADD(&l, KEY_USAGE, true, "\x03\x02\x02\x84");
    for (size_t len = 1; len < l.len; len++) {
        const char *flaw = plat_extensions_read(&x, (plat_der){ l.bytes, len });
        assert_int_equal(flaw == NULL, len == first);
    }
}

static void at_most_32_extensions_are_read(void **state)
{
    (void)state;
    for (uint8_t count = 31; count <= 33; count++) {
        plat_extensions x;
        list l = { .len = 0 };
        for (uint8_t i = 0; i < count; i++) {
            ADD(&l, (uint8_t)(60 + i), false, "\x05\x00");
        }
        assert_int_equal(read(&x, &l) == NULL, count <= 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_extensions_leave_everything_empty),
        cmocka_unit_test(each_extension_is_read_into_its_fields),
        cmocka_unit_test(a_critical_extension_that_is_not_processed_is_a_flaw),
        cmocka_unit_test(what_must_not_be_critical_or_repeated_is_a_flaw),
        cmocka_unit_test(malformed_values_are_a_flaw),
        cmocka_unit_test(a_list_that_is_cut_anywhere_is_a_flaw),
        cmocka_unit_test(at_most_32_extensions_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
