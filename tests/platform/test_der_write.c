#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/x509/der.h"
#include "wolfssl/x509/der_write.h"

/* A SEQUENCE of an OCTET STRING with len bytes and a small INTEGER. */
static bool write_some(uint8_t *buf, size_t cap, size_t content, size_t *len)
{
    static const uint8_t bytes[70000];
    const uint8_t seven[] = { 0, 0, 7 };
    plat_der_writer w = plat_der_writer_begin(buf, cap);
    const size_t end = plat_der_mark(&w);
    plat_der_put_unsigned(&w, seven, sizeof seven);
    const size_t string = plat_der_mark(&w);
    plat_der_put(&w, bytes, content);
    plat_der_wrap(&w, PLAT_DER_OCTET_STRING, string);
    plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
    return plat_der_finish(&w, len);
}

static void what_is_written_is_read_with_every_form_of_length(void **state)
{
    (void)state;
    static uint8_t buf[70016];
    static const size_t sizes[] = { 0,   1,   119, 120,   121,   122,   123,   127,   128,
                                    129, 255, 256, 65526, 65527, 65534, 65535, 65536, 70000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t len = 0;
        uint32_t number = 0;
        plat_der sequence, string;
        assert_true(write_some(buf, sizeof buf, sizes[i], &len));
        plat_der in = { buf, len };
        assert_true(plat_der_take(&in, PLAT_DER_SEQUENCE, &sequence));
        assert_int_equal(in.len, 0);
        assert_true(plat_der_take(&sequence, PLAT_DER_OCTET_STRING, &string));
        assert_int_equal(string.len, sizes[i]);
        assert_true(plat_der_take_unsigned(&sequence, PLAT_DER_INTEGER, &number));
        assert_int_equal(number, 7);
        assert_int_equal(sequence.len, 0);
    }
}

static void an_integer_has_its_shortest_form_and_is_not_negative(void **state)
{
    (void)state;
    static const struct {
        uint8_t in[4];
        size_t in_len;
        uint8_t out[8];
        size_t out_len;
    } cases[] = {
        { { 0 }, 0, { 2, 1, 0 }, 3 },
        { { 0, 0 }, 2, { 2, 1, 0 }, 3 },
        { { 0x7f }, 1, { 2, 1, 0x7f }, 3 },
        { { 0x80 }, 1, { 2, 2, 0, 0x80 }, 4 },
        { { 0, 0, 0xff, 1 }, 4, { 2, 3, 0, 0xff, 1 }, 5 },
        { { 1, 0, 0, 0 }, 4, { 2, 4, 1, 0, 0, 0 }, 6 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t buf[16];
        size_t len = 0;
        plat_der_writer w = plat_der_writer_begin(buf, sizeof buf);
        plat_der_put_unsigned(&w, cases[i].in, cases[i].in_len);
        assert_true(plat_der_finish(&w, &len));
        assert_int_equal(len, cases[i].out_len);
        assert_memory_equal(buf, cases[i].out, len);
    }
}

static void every_smaller_buffer_is_noticed_and_nothing_is_written_beside_it(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 3, 120, 127, 130, 300 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t buf[512];
        size_t whole = 0, len = 0;
        assert_true(write_some(buf, sizeof buf, sizes[i], &whole));
        for (size_t cap = 0; cap < whole; cap++) {
            memset(buf, 0xa5, sizeof buf);
            assert_false(write_some(buf + 8, cap, sizes[i], &len));
            for (size_t at = 0; at < sizeof buf; at++) {
                assert_true((at >= 8 && at < 8 + cap) || buf[at] == 0xa5);
            }
        }
        assert_true(write_some(buf, whole, sizes[i], &len));
        assert_int_equal(len, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_with_every_form_of_length),
        cmocka_unit_test(an_integer_has_its_shortest_form_and_is_not_negative),
        cmocka_unit_test(every_smaller_buffer_is_noticed_and_nothing_is_written_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
