#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "websocket/ws_head.h"

static size_t line_len(const char *text)
{
    return plat_ws_line_len((const uint8_t *)text, strlen(text));
}

static void a_line_ends_with_crlf_and_has_no_other_control_character_than_tabs(void **state)
{
    (void)state;
    assert_int_equal(line_len("\r\n"), 0);
    assert_int_equal(line_len("a\tb \xc3\xa9\r\nc"), 6);
    assert_true(line_len("") == PLAT_WS_INCOMPLETE);
    assert_true(line_len("abc") == PLAT_WS_INCOMPLETE);
    assert_true(line_len("abc\r") == PLAT_WS_INCOMPLETE);
    assert_true(line_len("abc\n") == PLAT_WS_MALFORMED);
    assert_true(line_len("abc\rd\n") == PLAT_WS_MALFORMED);
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t line[] = { 'a', (uint8_t)c, 'b', '\r', '\n' };
        const int allowed = (c >= ' ' && c != 0x7f) || c == '\t';
        assert_int_equal(plat_ws_line_len(line, sizeof line) == 3, allowed);
    }
}

static int status_of(const char *line)
{
    return plat_ws_status_read((const uint8_t *)line, strlen(line));
}

static void every_status_from_100_to_599_is_read_and_no_other(void **state)
{
    (void)state;
    for (int status = 0; status <= 999; status++) {
        char line[64];
        const int is_good = status >= 100 && status <= 599;
        (void)snprintf(line, sizeof line, "HTTP/1.1 %03d Some Reason", status);
        assert_int_equal(status_of(line), is_good ? status : 0);
        (void)snprintf(line, sizeof line, "HTTP/1.1 %03d", status);
        assert_int_equal(status_of(line), is_good ? status : 0);
        (void)snprintf(line, sizeof line, "HTTP/1.0 %03d", status);
        assert_int_equal(status_of(line), is_good && status != 101 ? status : 0);
    }
}

static void what_is_no_status_line_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 1",
        "HTTP/1.1 10",
        "HTTP/1.1101",
        "HTTP/2.0 101 ok",
        "HTTP/2 101",
        "http/1.1 101",
        "HTTP/1.1  101",
        "HTTP/1.2 101",
        "HTTP/1.1 1010",
        "HTTP/1.1 101a",
        "HTTP/1.1 -01",
        "HTTP/1.1 1 1",
        " HTTP/1.1 101",
        "HTTP/1.1\t101",
        "ICY 200 OK",
        "HTTP/1.11 101",
        "SSH-2.0-x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(status_of(lines[i]), 0);
    }
}

static int header(plat_ws_header *h, const char *line)
{
    return plat_ws_header_read(h, (const uint8_t *)line, strlen(line));
}

static void a_header_is_read_without_the_white_space_around_its_value(void **state)
{
    (void)state;
    static const char *const forms[] = { "Some-Name:a value", "Some-Name: a value",
                                         "Some-Name:\t a value \t", "Some-Name:   a value" };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        plat_ws_header h;
        assert_true(header(&h, forms[i]));
        assert_true(plat_ws_header_is(&h, "some-name"));
        assert_false(plat_ws_header_is(&h, "some-nam"));
        assert_false(plat_ws_header_is(&h, "some-names"));
        assert_true(plat_ws_value_is(&h, "a value"));
        assert_false(plat_ws_value_is(&h, "A value"));
        assert_false(plat_ws_value_is(&h, "a valu"));
        assert_false(plat_ws_value_is(&h, "a values"));
        assert_true(plat_ws_value_is_word(&h, "a value"));
    }
    plat_ws_header h;
    assert_true(header(&h, "Empty:"));
    assert_int_equal(h.value_len, 0);
    assert_true(header(&h, "Blank: \t "));
    assert_int_equal(h.value_len, 0);
    assert_true(header(&h, "Upgrade: WebSocket"));
    assert_true(plat_ws_value_is_word(&h, "websocket"));
}

static void folded_lines_and_malformed_names_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",       ":",        ": a",      " folded: a", "\tfolded: a",  "No-Colon",
        "a b: c", "Name : a", "Na(me: a", "Na\"me: a",  "N\xc3\xa9: a", "Na/me: a"
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        plat_ws_header h;
        assert_false(header(&h, lines[i]));
    }
}

static void a_list_has_a_word_only_between_commas_and_blanks(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int has;
    } cases[] = {
        { "Connection: upgrade", 1 },
        { "Connection: Upgrade", 1 },
        { "Connection: keep-alive, Upgrade", 1 },
        { "Connection: keep-alive,UPGRADE ,x", 1 },
        { "Connection:,, upgrade", 1 },
        { "Connection: keep-alive", 0 },
        { "Connection: upgrades", 0 },
        { "Connection: no-upgrade", 0 },
        { "Connection: upgrad", 0 },
        { "Connection:", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_ws_header h;
        assert_true(header(&h, cases[i].line));
        assert_int_equal(plat_ws_value_lists(&h, "upgrade"), cases[i].has);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_with_crlf_and_has_no_other_control_character_than_tabs),
        cmocka_unit_test(every_status_from_100_to_599_is_read_and_no_other),
        cmocka_unit_test(what_is_no_status_line_is_refused),
        cmocka_unit_test(a_header_is_read_without_the_white_space_around_its_value),
        cmocka_unit_test(folded_lines_and_malformed_names_are_refused),
        cmocka_unit_test(a_list_has_a_word_only_between_commas_and_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
