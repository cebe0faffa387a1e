/* Tests the CONNECT that the front sends to the broker. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/front_login.h"

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define USER   "localhost/device1/?api-version=2021-04-12"

static const hub_front_login login = {
    .number = 7,
    .secret = SECRET,
    .peer = "127.0.0.1:40000",
    .chain = "MIIB",
    .chain_len = 4,
};

static void add_field(hub_text *t, const char *text)
{
    const size_t len = strlen(text);
    const uint8_t prefix[] = { (uint8_t)(len >> 8), (uint8_t)len };

    hub_text_add(t, prefix, sizeof prefix);
    hub_text_add(t, text, len);
}

/* user and password may be NULL. */
static hub_text make(const char *user, const char *password)
{
    const uint8_t flags = (uint8_t)(2 | (user != NULL ? 0x80 : 0) | (password != NULL ? 0x40 : 0));
    const uint8_t head[] = { 4, flags, 0, 60 };
    hub_text body = { 0 };
    hub_text out = { 0 };

    add_field(&body, "MQTT");
    hub_text_add(&body, head, sizeof head);
    add_field(&body, "device1");
    if (user != NULL) {
        add_field(&body, user);
    }
    if (password != NULL) {
        add_field(&body, password);
    }
    const uint8_t start[] = { 0x10, (uint8_t)body.len };
    assert_true(body.len < 128);
    hub_text_add(&out, start, sizeof start);
    hub_text_add(&out, body.p, body.len);
    hub_text_free(&body);
    return out;
}

/* Forwards a packet, and reads what the broker receives. */
static hub_text forward(const hub_text *packet, hub_connect_packet *seen)
{
    const uint8_t *bytes = (const uint8_t *)packet->p;
    hub_connect_packet c;
    hub_text out = { 0 };

    assert_int_equal(hub_connect_read(&c, bytes, packet->len), HUB_CONNECT_WHOLE);
    assert_true(hub_front_login_forward(&login, &c, bytes, &out));
    assert_int_equal(hub_connect_read(seen, (const uint8_t *)out.p, out.len), HUB_CONNECT_WHOLE);
    return out;
}

static void the_envelope_stands_in_the_place_of_the_password(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *password = i == 0 ? "secret" : NULL;
        hub_text packet = make(USER, password);
        hub_connect_packet c;
        hub_envelope e;
        hub_text out = forward(&packet, &c);
        char *text = hub_memdup(out.p + c.password.at, c.password.len);
        assert_true(hub_envelope_read(&e, text, SECRET));
        assert_int_equal(e.number, 7);
        assert_memory_equal(e.peer, login.peer, e.peer_len);
        assert_memory_equal(e.chain, "MIIB", 4);
        assert_int_equal(e.password != NULL, password != NULL);
        assert_true(password == NULL || strcmp(e.password, password) == 0);
        assert_memory_equal(out.p + c.client_id.at, "device1", c.client_id.len);
        free(text);
        hub_text_free(&packet);
        hub_text_free(&out);
    }
}

static void the_client_id_for_the_provisioning_service_is_unique(void **state)
{
    hub_text packet = make("0ne/registrations/device1/api-version=2019-03-31", "x");
    hub_connect_packet c;
    hub_text out = forward(&packet, &c);
    const size_t own = strlen("device1");

    (void)state;
    assert_true(c.client_id.len > own + 2);
    assert_memory_equal(out.p + c.client_id.at + c.client_id.len - own - 2, "7 device1", own + 2);
    hub_text_free(&packet);
    hub_text_free(&out);
}

static void a_connect_without_a_user_name_stays_as_it_is(void **state)
{
    hub_text packet = make(NULL, NULL);
    hub_connect_packet c;
    hub_text out = forward(&packet, &c);

    (void)state;
    assert_int_equal(out.len, packet.len);
    assert_memory_equal(out.p, packet.p, out.len);
    hub_text_free(&packet);
    hub_text_free(&out);
}

static void an_envelope_that_is_too_long_is_not_sent(void **state)
{
    static char chain[HUB_FIELD_MAX];
    hub_front_login big = login;
    hub_text packet = make(USER, "secret");
    const uint8_t *bytes = (const uint8_t *)packet.p;
    hub_connect_packet c;
    hub_text out = { 0 };

    (void)state;
    memset(chain, 'M', sizeof chain);
    big.chain = chain;
    big.chain_len = sizeof chain;
    assert_int_equal(hub_connect_read(&c, bytes, packet.len), HUB_CONNECT_WHOLE);
    assert_false(hub_front_login_forward(&big, &c, bytes, &out));
    assert_int_equal(out.len, 0);
    hub_text_free(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_stands_in_the_place_of_the_password),
        cmocka_unit_test(the_client_id_for_the_provisioning_service_is_unique),
        cmocka_unit_test(a_connect_without_a_user_name_stays_as_it_is),
        cmocka_unit_test(an_envelope_that_is_too_long_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
