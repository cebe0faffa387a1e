/* Tests that packets are seen while their bytes pass, whatever the cuts between reads. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "front/packet_watch.h"

/* Contains two packets of each kind. The watch must see "P7 A9 P258 S". */
static hub_text stream(void)
{
    static const char packets[] = "\x20\x02\0\0"         /* CONNACK */
                                  "\x90\x03\0\1\1"       /* SUBACK */
                                  "\x32\x08\0\3abc\0\7x" /* QoS 1, id 7 */
                                  "\x30\x06\0\3$SYx"     /* QoS 0 */
                                  "\xD0\0"               /* PINGRESP */
                                  "\x40\x02\0\x09"       /* PUBACK 9 */
                                  "\x30\x02\0\0"         /* no topic, no body */
                                  "\x3A\x05\0\1a\1\2"    /* repeated, id 258, no body */
                                  "\x30\x07\0\5$SYSx"    /* $SYS */
                                  "\x82\x06\0\1\0\1#\0"; /* SUBSCRIBE */
    hub_text t = { 0 };

    hub_text_add(&t, packets, sizeof packets - 1);
    return t;
}

/* Takes the bytes in pieces of these sizes. */
static void see(hub_packet_watch *w, const char *bytes, size_t len, hub_text *seen)
{
    static const char letters[] = " PAS";
    size_t at = 0;

    while (at < len) {
        hub_packet packet;
        size_t n = hub_packet_watch_next(w, (const uint8_t *)bytes + at, len - at, &packet);
        assert_in_range(n, 1, len - at);
        at += n;
        if (packet.kind != HUB_PACKET_NONE) {
            hub_text_printf(seen, "%c%u ", letters[packet.kind], packet.id);
        }
    }
}

static void every_cut_shows_the_same_packets(void **state)
{
    hub_text t = stream();

    (void)state;
    for (size_t first = 0; first <= t.len; first++) {
        for (size_t second = first; second <= t.len; second++) {
            hub_packet_watch w = { 0 };
            hub_text seen = { 0 };
            char *a = hub_memdup(t.p, first);
            char *b = hub_memdup(t.p + first, second - first);
            char *c = hub_memdup(t.p + second, t.len - second);
            see(&w, a, first, &seen);
            see(&w, b, second - first, &seen);
            see(&w, c, t.len - second, &seen);
            assert_string_equal(seen.p, "P7 A9 P258 S0 ");
            assert_int_equal(w.stage, HUB_PACKET_FORBIDDEN);
            hub_text_free(&seen);
            free(a);
            free(b);
            free(c);
        }
    }
    hub_text_free(&t);
}

static void a_long_packet_is_passed_over(void **state)
{
    static const size_t sizes[] = { 0, 1, 100, 127, 128, 16383, 16384, 100000, 300000 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t len = sizes[i] + 7;
        uint8_t head[] = { 0x32,
                           (uint8_t)(0x80 | (len & 0x7F)),
                           (uint8_t)(0x80 | (len >> 7 & 0x7F)),
                           (uint8_t)(len >> 14),
                           0,
                           3,
                           'a',
                           'b',
                           'c',
                           0,
                           7 };
        hub_packet_watch w = { 0 };
        hub_text seen = { 0 };
        hub_text t = { 0 };
        char *body = hub_calloc(1, sizes[i] + 1);
        hub_text_add(&t, head, sizeof head);
        hub_text_add(&t, body, sizes[i]);
        hub_text_add(&t, "\x40\x02\0\x01", 4);
        see(&w, t.p, t.len, &seen);
        assert_string_equal(seen.p, "P7 A1 ");
        hub_text_free(&t);
        hub_text_free(&seen);
        free(body);
    }
}

static void after_an_error_nothing_is_seen(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { "\x30\xFF\xFF\xFF\xFF", 5 }, { "\x30\x01\x00", 3 },   { "\x30\x04\x00\x03", 4 },
        { "\x40\x01\x00", 3 },         { "\x32\x04\0\2ab", 6 }, { "\x32\x05\0\2ab\0", 7 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_packet_watch w = { 0 };
        hub_text seen = { 0 };
        hub_text_str(&seen, "");
        see(&w, cases[i].bytes, cases[i].len, &seen);
        see(&w, "\x40\x02\0\x01", 4, &seen);
        assert_string_equal(seen.p, "");
        assert_int_equal(w.stage, HUB_PACKET_BLIND);
        hub_text_free(&seen);
    }
}

static void every_changed_byte_ends(void **state)
{
    hub_text t = stream();

    (void)state;
    for (size_t i = 0; i < t.len; i++) {
        for (unsigned value = 0; value < 256; value++) {
            hub_packet_watch w = { 0 };
            hub_text seen = { 0 };
            char *changed = hub_memdup(t.p, t.len);
            changed[i] = (char)value;
            see(&w, changed, t.len, &seen);
            hub_text_free(&seen);
            free(changed);
        }
    }
    hub_text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_shows_the_same_packets),
        cmocka_unit_test(a_long_packet_is_passed_over),
        cmocka_unit_test(after_an_error_nothing_is_seen),
        cmocka_unit_test(every_changed_byte_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
