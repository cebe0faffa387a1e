/* Tests how the TLS front reads and forwards the CONNECT packet. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/connect_packet.h"

#define WILL     0x04
#define PASSWORD 0x40
#define USER     0x80

/* The parts of a CONNECT. If a text is NULL, its field is left out, even if the flags announce
 * it. */
typedef struct parts {
    const char *protocol;
    uint8_t level;
    uint8_t flags;
    const char *client_id;
    const char *will_topic;
    const char *will;
    const char *user_name;
    const char *password;
} parts;

#define MQTT "MQTT", 4

static void add_field(hub_text *t, const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;
    const uint8_t prefix[] = { (uint8_t)(len >> 8), (uint8_t)len };

    if (text != NULL) {
        hub_text_add(t, prefix, sizeof prefix);
        hub_text_add(t, text, len);
    }
}

static void add_header(hub_text *t, size_t len)
{
    hub_text_add(t, "\x10", 1);
    do {
        const uint8_t digit = (uint8_t)((len & 0x7F) | (len > 0x7F ? 0x80 : 0));
        hub_text_add(t, &digit, 1);
        len >>= 7;
    } while (len > 0);
}

static hub_text make(const parts *p)
{
    const uint8_t head[] = { p->level, p->flags, 0, 60 };
    hub_text body = { 0 };
    hub_text out = { 0 };

    add_field(&body, p->protocol);
    hub_text_add(&body, head, sizeof head);
    add_field(&body, p->client_id);
    add_field(&body, p->will_topic);
    add_field(&body, p->will);
    add_field(&body, p->user_name);
    add_field(&body, p->password);
    add_header(&out, body.len);
    hub_text_add(&out, body.p, body.len);
    hub_text_free(&body);
    return out;
}

static hub_connect_kind kind_of(const hub_text *t)
{
    hub_connect_packet c;
    return hub_connect_read(&c, (const uint8_t *)t->p, t->len);
}

static hub_connect_kind kind_of_parts(const parts *p)
{
    hub_text t = make(p);
    hub_connect_kind kind = kind_of(&t);

    hub_text_free(&t);
    return kind;
}

static void check_field(const hub_text *t, const hub_field *field, const char *expected)
{
    assert_int_equal(field->len, strlen(expected));
    assert_memory_equal(t->p + field->at, expected, field->len);
}

static const parts full = { MQTT,    WILL | USER | PASSWORD | 2, "device1", "topic", "last", "user",
                            "secret" };

static void the_fields_are_found(void **state)
{
    hub_text t = make(&full);
    hub_connect_packet c;

    (void)state;
    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_WHOLE);
    assert_int_equal(c.packet_len, t.len);
    assert_true(c.has_user_name && c.has_password);
    check_field(&t, &c.client_id, "device1");
    check_field(&t, &c.user_name, "user");
    check_field(&t, &c.password, "secret");
    hub_text_free(&t);
}

static void every_truncation_needs_more(void **state)
{
    hub_text t = make(&full);
    hub_connect_packet c;

    (void)state;
    for (size_t len = 0; len < t.len; len++) {
        /* The bytes are on the heap, so that the sanitizer reports a read beyond their end. */
        char *part = hub_memdup(t.p, len);
        assert_int_equal(hub_connect_read(&c, (const uint8_t *)part, len), HUB_CONNECT_PART);
        free(part);
    }
    hub_text_free(&t);
}

/* The packet is shortened, and its length with it, so the fields do not fit. */
static void every_shorter_body_is_broken(void **state)
{
    hub_text t = make(&full);

    (void)state;
    for (size_t len = 10; len < t.len - 2; len++) {
        hub_text cut = { 0 };
        add_header(&cut, len);
        hub_text_add(&cut, t.p + 2, len);
        assert_int_equal(kind_of(&cut), HUB_CONNECT_BROKEN);
        hub_text_free(&cut);
    }
    hub_text_free(&t);
}

static void bytes_behind_the_fields_are_an_error_and_behind_the_packet_are_not(void **state)
{
    hub_text t = make(&full);
    const size_t whole = t.len;
    hub_connect_packet c;

    (void)state;
    hub_text_str(&t, "next");
    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_WHOLE);
    assert_int_equal(c.packet_len, whole);
    t.p[1]++;
    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_BROKEN);
    hub_text_free(&t);
}

/* Any byte may have any value; the function must never read outside of the packet. */
static void every_changed_byte_has_an_answer(void **state)
{
    hub_text t = make(&full);

    (void)state;
    for (size_t i = 0; i < t.len; i++) {
        for (unsigned value = 0; value < 256; value++) {
            char *changed = hub_memdup(t.p, t.len);
            hub_connect_packet c;
            changed[i] = (char)value;
            hub_connect_kind kind = hub_connect_read(&c, (const uint8_t *)changed, t.len);
            assert_true(kind != HUB_CONNECT_WHOLE || c.packet_len <= t.len);
            assert_true(i > 0 || (kind == HUB_CONNECT_WHOLE) == (value == 0x10));
            free(changed);
        }
    }
    hub_text_free(&t);
}

static void the_flags_decide_which_fields_there_are(void **state)
{
    const parts none = { MQTT, 2, "d", NULL, NULL, NULL, NULL };
    const parts user = { MQTT, USER, "d", NULL, NULL, "u", NULL };
    const parts missing = { MQTT, USER | PASSWORD, "d", NULL, NULL, "u", NULL };
    const parts unasked = { MQTT, USER, "d", NULL, NULL, "u", "p" };
    const parts reserved = { MQTT, USER | 1, "d", NULL, NULL, "u", NULL };
    const parts half_will = { MQTT, WILL, "d", "t", NULL, NULL, NULL };

    (void)state;
    assert_int_equal(kind_of_parts(&none), HUB_CONNECT_WHOLE);
    assert_int_equal(kind_of_parts(&user), HUB_CONNECT_WHOLE);
    assert_int_equal(kind_of_parts(&missing), HUB_CONNECT_BROKEN);
    assert_int_equal(kind_of_parts(&unasked), HUB_CONNECT_BROKEN);
    assert_int_equal(kind_of_parts(&reserved), HUB_CONNECT_BROKEN);
    assert_int_equal(kind_of_parts(&half_will), HUB_CONNECT_BROKEN);
}

static void other_versions_are_left_to_the_broker(void **state)
{
    const parts old = { "MQIsdp", 3, 2, "d", NULL, NULL, NULL, NULL };
    const parts five = { "MQTT", 5, 2, "d", NULL, NULL, NULL, NULL };
    const parts other = { "HTTP", 4, 2, "d", NULL, NULL, NULL, NULL };
    const hub_text empty = { (char[]){ 0x10, 0, 0 }, 2, 3 };

    (void)state;
    assert_int_equal(kind_of_parts(&old), HUB_CONNECT_OTHER);
    assert_int_equal(kind_of_parts(&five), HUB_CONNECT_OTHER);
    assert_int_equal(kind_of_parts(&other), HUB_CONNECT_OTHER);
    assert_int_equal(kind_of(&empty), HUB_CONNECT_OTHER);
}

static void what_is_no_connect_is_known_by_its_first_bytes(void **state)
{
    static const char *const starts[] = { "G",
                                          "\x16",
                                          "\x11\x01",
                                          "\x10\xFF\xFF\xFF\xFF",
                                          "\x10\xFF\xFF\xFF\x7F",
                                          "\x10\x80\x80\x80\x01" };
    hub_connect_packet c;

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        assert_int_equal(hub_connect_read(&c, (const uint8_t *)starts[i], strlen(starts[i])),
                         HUB_CONNECT_BROKEN);
    }
}

static char *long_text(size_t len)
{
    char *text = hub_calloc(1, len + 1);

    memset(text, 'x', len);
    return text;
}

static void the_longest_packet_is_accepted(void **state)
{
    char *text = long_text(HUB_FIELD_MAX);
    const parts longest = { MQTT, WILL | USER | PASSWORD, text, text, text, text, text };

    (void)state;
    assert_int_equal(kind_of_parts(&longest), HUB_CONNECT_WHOLE);
    free(text);
}

/* --- forwarding -------------------------------------------------------- */

/* Checks the result when a packet of these parts is forwarded. */
static void check_forward(const parts *in, const char *prefix, const char *password,
                          const parts *expected)
{
    hub_text t = make(in);
    hub_text wanted = make(expected);
    hub_text out = { 0 };
    hub_connect_packet c;

    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_WHOLE);
    assert_true(
        hub_connect_forward(&c, (const uint8_t *)t.p, prefix, password, strlen(password), &out));
    assert_int_equal(out.len, wanted.len);
    assert_memory_equal(out.p, wanted.p, out.len);
    assert_int_equal(kind_of(&out), HUB_CONNECT_WHOLE);
    hub_text_free(&t);
    hub_text_free(&wanted);
    hub_text_free(&out);
}

static void the_password_is_replaced_and_nothing_else(void **state)
{
    parts in = full;
    parts out = full;

    (void)state;
    out.password = "other";
    check_forward(&in, "", "other", &out);
    in.password = NULL;
    in.flags &= (uint8_t)~PASSWORD;
    check_forward(&in, "", "other", &out);
    out.client_id = "dps device1";
    check_forward(&in, "dps ", "other", &out);
    in = (parts){ MQTT, USER, "d", NULL, NULL, "u", NULL };
    out = (parts){ MQTT, USER | PASSWORD, "d", NULL, NULL, "u", "" };
    check_forward(&in, "", "", &out);
}

/* At 128 bytes, 16,384 bytes and so on, the remaining length needs one byte more. */
static void passwords_of_every_size_class_are_forwarded(void **state)
{
    static const size_t sizes[] = { 0, 1, 90, 110, 127, 128, 16300, 16384, 65534, 65535 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *password = long_text(sizes[i]);
        parts out = full;
        out.password = password;
        check_forward(&full, "", password, &out);
        free(password);
    }
}

static void what_does_not_fit_is_not_forwarded(void **state)
{
    char *text = long_text(HUB_FIELD_MAX + 1);
    parts in = full;
    hub_text out = { 0 };
    hub_connect_packet c;

    (void)state;
    hub_text t = make(&in);
    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_WHOLE);
    assert_false(hub_connect_forward(&c, (const uint8_t *)t.p, "", text, HUB_FIELD_MAX + 1, &out));
    assert_false(hub_connect_forward(&c, (const uint8_t *)t.p, text, "p", 1, &out));
    hub_text_free(&t);
    in = (parts){ MQTT, 2, "d", NULL, NULL, NULL, NULL };
    t = make(&in);
    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_WHOLE);
    assert_false(hub_connect_forward(&c, (const uint8_t *)t.p, "", "p", 1, &out));
    assert_int_equal(out.len, 0);
    hub_text_free(&t);
    free(text);
}

/* --- the provisioning service ------------------------------------------- */

static bool for_provisioning(const char *client_id, const char *user_name)
{
    const parts p = { MQTT, USER, client_id, NULL, NULL, user_name, NULL };
    hub_text t = make(&p);
    hub_connect_packet c;

    assert_int_equal(hub_connect_read(&c, (const uint8_t *)t.p, t.len), HUB_CONNECT_WHOLE);
    bool is = hub_connect_is_for_provisioning(&c, t.p);
    hub_text_free(&t);
    return is;
}

static void the_user_name_tells_the_service_from_the_hub(void **state)
{
    (void)state;
    assert_true(for_provisioning("d1", "0ne1/registrations/d1/api-version=2021-06-01"));
    assert_true(for_provisioning("d1", "0ne1/registrations/D1/api-version=2021-06-01"));
    assert_false(for_provisioning("d1", "h/d1/?api-version=2021-04-12"));
    assert_false(for_provisioning("d1", "0ne1/registrations/d2/api-version=2021-06-01"));
    assert_false(for_provisioning("d1", "0ne1/registrations/d1"));
    assert_false(for_provisioning("d1", "registrations/d1/"));
    assert_false(for_provisioning("d1", ""));
    /* a device and a module of the hub with confusing names */
    assert_false(for_provisioning("registrations", "h/registrations/api-version=2021-04-12"));
    assert_false(for_provisioning("registrations/m", "h/registrations/m/?api-version=2021-04-12"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_are_found),
        cmocka_unit_test(every_truncation_needs_more),
        cmocka_unit_test(every_shorter_body_is_broken),
        cmocka_unit_test(bytes_behind_the_fields_are_an_error_and_behind_the_packet_are_not),
        cmocka_unit_test(every_changed_byte_has_an_answer),
        cmocka_unit_test(the_flags_decide_which_fields_there_are),
        cmocka_unit_test(other_versions_are_left_to_the_broker),
        cmocka_unit_test(what_is_no_connect_is_known_by_its_first_bytes),
        cmocka_unit_test(the_longest_packet_is_accepted),
        cmocka_unit_test(the_password_is_replaced_and_nothing_else),
        cmocka_unit_test(passwords_of_every_size_class_are_forwarded),
        cmocka_unit_test(what_does_not_fit_is_not_forwarded),
        cmocka_unit_test(the_user_name_tells_the_service_from_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
