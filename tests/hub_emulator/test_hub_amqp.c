#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amqp/websocket.h"

#define SASL_HEADER "AMQP\x03\x01\0\0"
#define AMQP_HEADER "AMQP\0\x01\0\0"
/* A sasl-init frame that requests ANONYMOUS. */
#define SASL_INIT                    \
    "\0\0\0\x1A\x02\x01\0\0"         \
    "\0\x53\x41\xC0\x0D\x01\xA3\x0A" \
    "ANONYMOUS!"

static const char conversation[] = SASL_HEADER SASL_INIT AMQP_HEADER "whatever else comes";

static size_t number(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

/* Expects a frame with this type and descriptor. Returns the bytes after it. */
static const char *frame(const char *p, const char *end, char type, char descriptor)
{
    assert_true(end - p >= 12);
    const size_t len = number(p);

    assert_in_range(len, 12, (size_t)(end - p));
    assert_int_equal(p[4], 2);
    assert_int_equal(p[5], type);
    assert_memory_equal(p + 8, "\0\x53", 2);
    assert_int_equal(p[10], descriptor);
    assert_int_equal((uint8_t)p[11], 0xC0);
    assert_int_equal((uint8_t)p[12] + 13, len); /* the list must end where the frame ends */
    return p + len;
}

static const char *header(const char *p, const char *end, const char *expected)
{
    assert_true(end - p >= 8);
    assert_memory_equal(p, expected, 8);
    return p + 8;
}

static void expect_refusal(const char *p, const char *end)
{
    p = header(p, end, AMQP_HEADER);
    p = frame(p, end, 0, 0x10);
    const char *close = p;
    p = frame(p, end, 0, 0x18);
    assert_ptr_equal(p, end);
    assert_non_null(memmem(close, (size_t)(end - close), "amqp:not-implemented", 20));
    assert_non_null(memmem(close, (size_t)(end - close), "does not speak AMQP", 19));
}

static void a_client_learns_why_whether_it_logs_in_or_not(void **state)
{
    (void)state;
    amqp_refusal plain = { 0 };
    amqp_refusal sasl = { 0 };
    hub_text out = { 0 };

    amqp_refusal_take(&plain, AMQP_HEADER, 8, &out);
    expect_refusal(out.p, out.p + out.len);
    assert_int_equal(plain.state, AMQP_REFUSAL_CLOSING);
    out.len = 0;

    amqp_refusal_take(&sasl, conversation, sizeof conversation - 1, &out);
    const char *end = out.p + out.len;
    const char *p = header(out.p, end, SASL_HEADER);
    const char *mechanisms = p;
    p = frame(p, end, 1, 0x40);
    assert_non_null(memmem(mechanisms, (size_t)(p - mechanisms), "ANONYMOUS", 9));
    p = frame(p, end, 1, 0x44);
    expect_refusal(p, end);
    hub_text_free(&out);
}

static void the_answer_is_the_same_however_the_bytes_are_cut(void **state)
{
    (void)state;
    amqp_refusal whole = { 0 };
    hub_text expected = { 0 };

    amqp_refusal_take(&whole, conversation, sizeof conversation - 1, &expected);
    for (size_t piece = 1; piece < sizeof conversation; piece++) {
        amqp_refusal r = { 0 };
        hub_text out = { 0 };
        for (size_t at = 0; at < sizeof conversation - 1; at += piece) {
            size_t left = sizeof conversation - 1 - at;
            char *copy = hub_memdup(conversation + at, left < piece ? left : piece);
            amqp_refusal_take(&r, copy, left < piece ? left : piece, &out);
            free(copy);
        }
        assert_int_equal(out.len, expected.len);
        assert_memory_equal(out.p, expected.p, out.len);
        hub_text_free(&out);
    }
    hub_text_free(&expected);
}

static void what_is_not_amqp_ends_as_soon_as_it_shows(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        size_t answer;
        amqp_refusal_state after;
    } cases[] = {
        { "GET / HTTP/1.1\r\n", 16, 8, AMQP_REFUSAL_WRONG },
        { "h", 1, 8, AMQP_REFUSAL_WRONG },
        { "AMQP\x02", 5, 8, AMQP_REFUSAL_WRONG },
        { "AMQP\x02\x01\0\0", 8, 8, AMQP_REFUSAL_WRONG },
        { "AMQP\0\0\x09\x01", 8, 8, AMQP_REFUSAL_WRONG },
        { "AMQP\0\x01\0", 7, 0, AMQP_REFUSAL_HEADER },
        { SASL_HEADER "\0\0\0", 11, 59, AMQP_REFUSAL_SASL },
        { SASL_HEADER SASL_HEADER, 16, 59, AMQP_REFUSAL_WRONG },
        { SASL_HEADER "\0\0\0\x07\x02\x01\0\0", 16, 59, AMQP_REFUSAL_WRONG },
        { SASL_HEADER "\0\0\0\x08\x02\0\0\0", 16, 59, AMQP_REFUSAL_WRONG },
        { SASL_HEADER "\xFF\xFF\xFF\xFF\x02\x01\0\0", 16, 59, AMQP_REFUSAL_WRONG },
        { SASL_HEADER SASL_INIT SASL_HEADER, 42, 83, AMQP_REFUSAL_WRONG },
        { SASL_HEADER "\0\0\0\x08\x02\x01\0\0" SASL_HEADER, 24, 83, AMQP_REFUSAL_WRONG },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        amqp_refusal r = { 0 };
        hub_text out = { 0 };
        amqp_refusal_take(&r, cases[i].bytes, cases[i].len, &out);
        assert_int_equal(out.len, cases[i].answer);
        assert_int_equal(r.state, cases[i].after);
        hub_text_free(&out);
    }
}

/* --- over WebSocket ---------------------------------------------------- */

/* Adds a WebSocket frame of a client, which is masked. */
static void add_frame(hub_text *t, uint8_t first, const char *payload, size_t len)
{
    static const uint8_t mask[] = { 0x37, 0xFA, 0x21, 0x3D };
    const uint8_t head[] = { first, (uint8_t)(0x80 | (len < 126 ? len : 126)), (uint8_t)(len >> 8),
                             (uint8_t)len };

    hub_text_add(t, head, len < 126 ? 2 : 4);
    hub_text_add(t, mask, sizeof mask);
    for (size_t i = 0; i < len; i++) {
        const uint8_t byte = (uint8_t)payload[i] ^ mask[i % 4];
        hub_text_add(t, &byte, 1);
    }
}

/* Collects the content of the server's binary frames. Fails if a frame is incomplete. */
static void unpack(const hub_text *from, hub_text *amqp, bool *closed)
{
    const uint8_t *p = (const uint8_t *)from->p;
    const uint8_t *end = p + from->len;

    *closed = false;
    hub_text_str(amqp, "");
    while (p < end) {
        assert_true(end - p >= 2);
        size_t len = p[1];
        size_t head = 2;
        assert_in_range(len, 0, 126); /* the highest bit would mean that the frame is masked */
        if (len == 126) {
            len = (size_t)p[2] << 8 | p[3];
            head = 4;
        }
        assert_in_range(head + len, 2, (size_t)(end - p));
        if (p[0] == 0x82) {
            hub_text_add(amqp, p + head, len);
        } else {
            assert_int_equal(p[0], 0x88);
            *closed = true;
        }
        p += head + len;
    }
}

static void the_key_is_answered_as_the_rfc_shows(void **state)
{
    (void)state;
    char *accept = websocket_accept("dGhlIHNhbXBsZSBub25jZQ==");

    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    free(accept);
    assert_true(websocket_names("keep-alive, Upgrade", "upgrade"));
    assert_true(websocket_names("AMQPWSB10,amqp", "AMQPWSB10"));
    assert_false(websocket_names("AMQPWSB100, amqp", "AMQPWSB10"));
    assert_false(websocket_names(" ,, ", "amqp"));
    assert_false(websocket_names(NULL, "amqp"));
}

static void the_reason_goes_by_websocket_however_frames_and_bytes_are_cut(void **state)
{
    (void)state;
    /* Bytes of the conversation in each frame. */
    for (size_t part = 1; part < sizeof conversation; part++) {
        hub_text sent = { 0 };
        for (size_t at = 0; at < sizeof conversation - 1; at += part) {
            size_t left = sizeof conversation - 1 - at;
            add_frame(&sent, at == 0 ? 0x82 : 0x80, conversation + at, left < part ? left : part);
            add_frame(&sent, 0x89, "ping", 4);
        }
        add_frame(&sent, 0x88, "", 0);
        for (size_t piece = 1; piece <= sent.len; piece = piece * 2 + 1) { /* bytes in each read */
            websocket w = { 0 };
            hub_text out = { 0 };
            hub_text amqp = { 0 };
            bool closed;
            for (size_t at = 0; at < sent.len; at += piece) {
                size_t n = sent.len - at < piece ? sent.len - at : piece;
                websocket_take(&w, sent.p + at, n, &out);
            }
            unpack(&out, &amqp, &closed);
            const char *p = header(amqp.p, amqp.p + amqp.len, SASL_HEADER);
            p = frame(p, amqp.p + amqp.len, 1, 0x40);
            p = frame(p, amqp.p + amqp.len, 1, 0x44);
            expect_refusal(p, amqp.p + amqp.len);
            assert_true(closed);
            assert_int_equal(w.state, WEBSOCKET_OVER);
            hub_text_free(&out);
            hub_text_free(&amqp);
        }
        hub_text_free(&sent);
    }
}

static void a_frame_that_breaks_a_rule_ends_it(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { "\x82\x04"
          "AMQP\0\0",
          8 },                                                  /* not masked */
        { "\x82\xFF\0\0\0\0\0\x01\0\x01mask", 14 },             /* one byte more than allowed */
        { "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFmask", 14 }, /* much longer than allowed */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        websocket w = { 0 };
        hub_text out = { 0 };
        websocket_take(&w, cases[i].bytes, cases[i].len, &out);
        assert_int_equal(w.state, WEBSOCKET_OVER);
        assert_int_equal(out.len, 0);
        hub_text_free(&out);
    }
}

static void what_is_not_amqp_closes_the_websocket(void **state)
{
    (void)state;
    websocket w = { 0 };
    hub_text sent = { 0 };
    hub_text out = { 0 };
    hub_text amqp = { 0 };
    bool closed;

    add_frame(&sent, 0x82, "hello", 5);
    websocket_take(&w, sent.p, sent.len, &out);
    unpack(&out, &amqp, &closed);
    assert_int_equal(amqp.len, 8);
    assert_memory_equal(amqp.p, SASL_HEADER, 8);
    assert_true(closed);
    assert_int_equal(w.state, WEBSOCKET_OVER);
    hub_text_free(&sent);
    hub_text_free(&out);
    hub_text_free(&amqp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_learns_why_whether_it_logs_in_or_not),
        cmocka_unit_test(the_answer_is_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(what_is_not_amqp_ends_as_soon_as_it_shows),
        cmocka_unit_test(the_key_is_answered_as_the_rfc_shows),
        cmocka_unit_test(the_reason_goes_by_websocket_however_frames_and_bytes_are_cut),
        cmocka_unit_test(a_frame_that_breaks_a_rule_ends_it),
        cmocka_unit_test(what_is_not_amqp_closes_the_websocket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
