/* Tests what the programs share: numbers, lists, and text that is printed on a terminal. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/input.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/secret.h"

#define KEY32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY64 \
    "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniQ=="

/* --- text ------------------------------------------------------------------ */

/* Returns what cli_put prints; the caller frees it. */
static char *put(const char *text, size_t len)
{
    char *out = NULL;
    size_t out_len;
    FILE *f = open_memstream(&out, &out_len);

    assert_non_null(f);
    cli_put(f, text, len);
    (void)fclose(f);
    return out;
}

/* Returns what cli_put_json prints in pieces of `step` bytes; the caller frees it. */
static char *put_json(const char *text, size_t len, size_t step)
{
    char *out = NULL;
    size_t out_len;
    cli_json j = { .len = 0 };
    FILE *f = open_memstream(&out, &out_len);

    assert_non_null(f);
    for (size_t at = 0; at < len; at += step) {
        cli_put_json(f, &j, text + at, len - at < step ? len - at : step);
    }
    cli_put_json_end(f, &j);
    (void)fclose(f);
    return out;
}

static void text_for_people_shows_control_characters_as_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        { "plain text, 100 %", "plain text, 100 %" },
        { "h\xC3\xBCt \xE2\x82\xAC \xF0\x9F\x98\x80", "h\xC3\xBCt \xE2\x82\xAC \xF0\x9F\x98\x80" },
        { "\x1B[31m", "\\x1B[31m" },
        { "a\nb\rc\td", "a\\nb\\rc\\td" },
        { "\x07\x08\x7F", "\\x07\\x08\\x7F" },
        /* CSI, which starts a terminal command, as a UTF-8 character. */
        { "\xC2\x9B", "\\xC2\\x9B" },
        { "\x9B", "\\x9B" },                   /* CSI as a single byte */
        { "\xC1\x9B", "\\xC1\\x9B" },          /* an overlong encoding, which is not valid UTF-8 */
        { "\xE0\x80\x9B", "\\xE0\\x80\\x9B" }, /* another overlong encoding */
        { "\xED\xA0\x80", "\\xED\\xA0\\x80" }, /* half of a surrogate pair */
        { "\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" }, /* beyond Unicode */
        { "\xE2\x80\xAE", "\\xE2\\x80\\xAE" }, /* a mark that reverses the direction of text */
        { "\xE2\x82", "\\xE2\\x82" },          /* cut */
        { "\xE2\x1B[m", "\\xE2\\x1B[m" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *out = put(cases[i].in, strlen(cases[i].in));
        assert_string_equal(out, cases[i].out);
        free(out);
    }
    char *nul = put("a\0b", 3);
    assert_string_equal(nul, "a\\x00b");
    free(nul);
}

static void no_byte_sequence_prints_a_control_character(void **state)
{
    (void)state;
    char text[3];

    for (unsigned n = 0; n < 1u << 24; n += 7) {
        text[0] = (char)(n >> 16);
        text[1] = (char)(n >> 8);
        text[2] = (char)n;
        if (n % 5 != 0 && (n >> 16) > 0x20 && (n >> 16) < 0xC0) {
            continue;
        }
        char *out = put(text, sizeof text);
        for (const unsigned char *c = (unsigned char *)out; *c != '\0'; c++) {
            assert_true(*c >= 0x20 && *c != 0x7F && !(c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0));
        }
        free(out);
    }
}

static void json_keeps_its_meaning_however_it_is_cut(void **state)
{
    (void)state;
    static const char in[] = "{\"a\": \"h\xC3\xBCt \xF0\x9F\x98\x80 \x7F\xC2\x9B\xE2\x80\xAE\",\n"
                             "\t\"b\": \"\x1B\xFF\xE2\x82\"}\n";
    static const char out[] = "{\"a\": \"h\xC3\xBCt \xF0\x9F\x98\x80 \\u007f\\u009b\\u202e\",\n"
                              "\t\"b\": \"\\u001b\\ufffd\\ufffd\\ufffd\"}\n";

    for (size_t step = 1; step < sizeof in; step++) {
        char *got = put_json(in, sizeof in - 1, step);
        assert_string_equal(got, out);
        free(got);
    }
    char *cut = put_json("\xF0\x9F", 2, 1);
    assert_string_equal(cut, "\\ufffd\\ufffd");
    free(cut);
}

/* --- secrets ----------------------------------------------------------------- */

static void a_word_that_can_be_a_secret_is_not_shown(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        KEY32,
        KEY64,
        ("HostName=h;DeviceId=d;SharedAccessKey=" KEY32),
        "SharedAccessSignature sr=h&sig=AAAA&se=1",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "with\x1B[31mcolour",
        "/etc/AAECAwQFBgcICQoLDA0ODxAREhMUFRYX/ca.pem",
    };
    static const char *const words[] = {
        "device1",
        "stranger",
        "devices.txt",
        "/nowhere.pem",
        "/tmp/tmpk3_x9/ca.crt",
        "myhub.azure-devices.net",
        "",
        "a-rather-long-name-of-a-thing-0123456789",
    };

    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_false(cli_may_show(secrets[i]));
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_true(cli_may_show(words[i]));
    }
}

static void secrets_in_texts_of_servers_are_overwritten(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out; /* NULL: unchanged */
    } cases[] = {
        { "DeviceMaximumQueueDepthExceeded (403004): the queue is full", NULL },
        { "device 'd1' is not registered, TrackingId:8b1f-22, 2026-11-30T20:48:00Z", NULL },
        { "key=abc, sig=x", "key=***, sig=*" },
        { "{\"primaryKey\":\"abcd\"}", "{\"primaryKey\":\"****\"}" },
        { "SharedAccessKey=AA==;x", "SharedAccessKey=****;x" },
        { "Password: hunter2 ", "Password: ******* " },
        { "got " KEY32 "!", "got ********************************************!" },
        { "sr=h&sig=a%2Fb%3D&se=1", "sr=h&sig=********&se=1" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s", cases[i].in);
        cli_redact(text);
        assert_string_equal(text, cases[i].out != NULL ? cases[i].out : cases[i].in);
    }
}

/* --- numbers ------------------------------------------------------------------- */

static void silly_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "",         "-1",       "+1",   " 1",  "1 ",  "1e3",
                                       "1e308",    "1e-300",   "0x10", "nan", "inf", "1,5",
                                       "1.5.",     "1..5",     ".",    "one", "1\n", "--",
                                       "1_0",      "\xD9\xA1", "INF",  "NaN", "1f",  "1e+308",
                                       "infinity", "0x1p3" };
    static const char *const too_large[] = { "18446744073709551616", "99999999999999999999",
                                             "1234567890123456789012345678901234567890" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t n;
        double rate;
        assert_false(cli_number(bad[i], 0, UINT64_MAX, &n));
        assert_false(cli_rate(bad[i], 1e-6, 1e5, &rate));
    }
    for (size_t i = 0; i < sizeof too_large / sizeof too_large[0]; i++) {
        uint64_t n;
        double rate;
        assert_false(cli_number(too_large[i], 0, UINT64_MAX, &n));
        assert_false(cli_rate(too_large[i], 1e-6, 1e300, &rate));
    }
}

static void numbers_within_their_bounds_are_taken(void **state)
{
    (void)state;
    uint64_t n;
    double rate;

    assert_true(cli_number("18446744073709551615", 0, UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_true(cli_number("007", 1, 10, &n) && n == 7);
    assert_false(cli_number("0", 1, 10, &n));
    assert_false(cli_number("11", 1, 10, &n));
    assert_true(cli_rate("0", 1e-6, 1e5, &rate) && rate <= 0);
    assert_true(cli_rate("0.0", 1e-6, 1e5, &rate) && rate <= 0);
    assert_true(cli_rate(".5", 1e-6, 1e5, &rate) && rate > 0.49 && rate < 0.51);
    assert_true(cli_rate("20", 1e-6, 1e5, &rate) && rate > 19.9 && rate < 20.1);
    assert_true(cli_rate("0.000001", 1e-6, 1e5, &rate));
    assert_true(cli_rate("100000", 1e-6, 1e5, &rate));
    assert_false(cli_rate("0.0000009", 1e-6, 1e5, &rate));
    assert_false(cli_rate("100000.1", 1e-6, 1e5, &rate));
    assert_false(cli_rate("0.0000000001", 1e-6, 1e5, &rate));
}

/* --- lists ---------------------------------------------------------------------- */

/* Opens a list of lines with this content. */
static void open_list(cli_list *l, const char *bytes, size_t len)
{
    static char name[32];
    (void)snprintf(name, sizeof name, "/tmp/test_cli.XXXXXX");
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_true(write(fd, bytes, len) == (ssize_t)len);
    assert_int_equal(close(fd), 0);
    assert_true(cli_list_open(l, name));
    assert_int_equal(unlink(name), 0);
}

static void a_list_is_read_whatever_its_line_ends(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "one\ntwo\n",
        "one\ntwo",
        "one\r\ntwo\r\n",
        "\xEF\xBB\xBFone\n\n  \t\n# comment\n  two  \n   # another",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cli_list l;
        char *entry;
        open_list(&l, texts[i], strlen(texts[i]));
        assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_ENTRY);
        assert_string_equal(entry, "one");
        assert_int_equal(l.line, 1);
        assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_ENTRY);
        assert_string_equal(entry, "two");
        assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_END);
        cli_list_close(&l);
    }
}

static void a_file_that_is_no_list_is_refused(void **state)
{
    (void)state;
    static char zeros[3 * CLI_LINE_MAX];
    static char long_line[3 * CLI_LINE_MAX];
    const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { zeros, sizeof zeros },
        { long_line, sizeof long_line },
        { "a\0b\n", 4 },
        { "\xFF\xFE"
          "a\0\n\0",
          6 },
    };
    cli_list l;
    char *entry;

    memset(long_line, 'x', sizeof long_line);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_list(&l, cases[i].bytes, cases[i].len);
        assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_FAILED);
        cli_list_close(&l);
    }
    assert_true(cli_list_open(&l, "/"));
    assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_FAILED);
    cli_list_close(&l);
    assert_false(cli_list_open(&l, "/nowhere/at/all"));
}

static void every_length_of_line_is_returned_whole_or_refused(void **state)
{
    (void)state;
    static char text[2 * CLI_LINE_MAX];

    for (size_t len = CLI_LINE_MAX - 3; len <= CLI_LINE_MAX + 1; len++) {
        cli_list l;
        char *entry;
        memset(text, 'x', sizeof text);
        memcpy(text, "a\n", 2);
        text[2 + len] = '\n';
        open_list(&l, text, len + 3);
        assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_ENTRY);
        cli_list_result r = cli_list_next(&l, &entry);
        assert_int_equal(r, len < CLI_LINE_MAX ? CLI_LIST_ENTRY : CLI_LIST_FAILED);
        if (r == CLI_LIST_ENTRY) {
            assert_int_equal(strlen(entry), len);
        }
        cli_list_close(&l);
    }
}

static void a_list_leaves_nothing_in_its_buffer(void **state)
{
    (void)state;
    cli_list l;
    char *entry;

    open_list(&l, "secret\nanother secret\n", 22);
    assert_int_equal(cli_list_next(&l, &entry), CLI_LIST_ENTRY);
    cli_list_close(&l);
    for (size_t i = 0; i < sizeof l.buffer; i++) {
        assert_int_equal(l.buffer[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_for_people_shows_control_characters_as_escapes),
        cmocka_unit_test(no_byte_sequence_prints_a_control_character),
        cmocka_unit_test(json_keeps_its_meaning_however_it_is_cut),
        cmocka_unit_test(a_word_that_can_be_a_secret_is_not_shown),
        cmocka_unit_test(secrets_in_texts_of_servers_are_overwritten),
        cmocka_unit_test(silly_numbers_are_refused),
        cmocka_unit_test(numbers_within_their_bounds_are_taken),
        cmocka_unit_test(a_list_is_read_whatever_its_line_ends),
        cmocka_unit_test(a_file_that_is_no_list_is_refused),
        cmocka_unit_test(every_length_of_line_is_returned_whole_or_refused),
        cmocka_unit_test(a_list_leaves_nothing_in_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
