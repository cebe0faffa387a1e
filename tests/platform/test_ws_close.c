#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "websocket/ws_close.h"

static const char *read_code(unsigned sent, const char *reason, uint16_t *code)
{
    uint8_t content[125] = { (uint8_t)(sent >> 8), (uint8_t)sent };
    memcpy(content + 2, reason, strlen(reason));
    return plat_ws_close_read(content, 2 + strlen(reason), code);
}

static int may_be_sent(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* The codes are those of RFC 6455 section 7.4 and of the registry of IANA. */
static void exactly_the_codes_that_may_be_sent_are_accepted(void **state)
{
    (void)state;
    for (unsigned sent = 0; sent <= UINT16_MAX; sent++) {
        uint16_t code = 0;
        const char *fault = read_code(sent, "", &code);
        assert_int_equal(fault == NULL, may_be_sent(sent));
        assert_int_equal(code, fault == NULL ? sent : PLAT_WS_CLOSE_PROTOCOL);
    }
}

static void a_frame_without_a_code_is_accepted_and_half_a_code_is_not(void **state)
{
    (void)state;
    uint16_t code = 0;
    assert_null(plat_ws_close_read(NULL, 0, &code));
    assert_int_equal(code, PLAT_WS_CLOSE_NONE);
    assert_string_equal(plat_ws_close_text(code), "without a status code");
    assert_non_null(plat_ws_close_read((const uint8_t *)"\x03", 1, &code));
    assert_int_equal(code, PLAT_WS_CLOSE_PROTOCOL);
}

static void a_reason_must_be_utf_8(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        int good;
    } cases[] = {
        { "done", 1 },
        { "\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 1 },
        { "\xc2\x80", 1 },
        { "\xdf\xbf", 1 },
        { "\xe0\xa0\x80", 1 },
        { "\xed\x9f\xbf", 1 },
        { "\xee\x80\x80", 1 },
        { "\xf0\x90\x80\x80", 1 },
        { "\xf4\x8f\xbf\xbf", 1 },
        { "\x80", 0 }, /* a continuation byte without a first byte */
        { "\xc3", 0 }, /* cut */
        { "\xe2\x82", 0 },
        { "\xf0\x9f\x98", 0 },
        { "\xc3(", 0 }, /* no continuation */
        { "\xe2(\xac", 0 },
        { "\xe2\x82(", 0 },
        { "\xc0\xaf", 0 }, /* longer than necessary */
        { "\xc1\xbf", 0 },
        { "\xe0\x9f\xbf", 0 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xed\xa0\x80", 0 },     /* a surrogate */
        { "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
        { "\xf5\x80\x80\x80", 0 },
        { "\xfe", 0 },
        { "\xff", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t code = 0;
        const char *fault = read_code(1000, cases[i].reason, &code);
        assert_int_equal(fault == NULL, cases[i].good);
        assert_int_equal(code, cases[i].good ? 1000 : PLAT_WS_CLOSE_NOT_UTF8);
    }
}

static void codes_of_the_protocol_have_a_text_and_those_of_applications_have_none(void **state)
{
    (void)state;
    for (unsigned code = 1000; code < 5000; code++) {
        const char *text = plat_ws_close_text((uint16_t)code);
        const int known = (may_be_sent(code) && code < 3000) || code == PLAT_WS_CLOSE_NONE;
        assert_int_equal(strlen(text) > 0, known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_codes_that_may_be_sent_are_accepted),
        cmocka_unit_test(a_frame_without_a_code_is_accepted_and_half_a_code_is_not),
        cmocka_unit_test(a_reason_must_be_utf_8),
        cmocka_unit_test(codes_of_the_protocol_have_a_text_and_those_of_applications_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
