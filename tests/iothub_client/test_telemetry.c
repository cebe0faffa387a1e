#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "percent.h"
#include "property_bag.h"

#define EVENTS "devices/device1/messages/events/"

/* --- counting the heap: the linker leads every call of this program through here ---------- */

/* volatile: the compiler knows malloc and would not expect it to look */
static volatile bool counting;
static unsigned allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    allocations += counting;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations += counting;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    allocations += counting;
    return __real_realloc(p, n);
}

/* --- helpers ----------------------------------------------------------------------------- */

static iothub_result send_with(client_fixture *f, const char *name, const char *value)
{
    const iothub_property p = { name, value };
    const iothub_telemetry t = {
        .body = "x", .body_len = 1, .properties = &p, .property_count = 1
    };
    return iothub_send_telemetry(f->client, &t, NULL);
}

static const fake_hub_publish *last(client_fixture *f)
{
    fixture_run(f);
    return fake_hub_at(&f->hub, f->hub.publishes - 1);
}

static void quiet(iothub_options *o)
{
    o->callbacks.desired = NULL; /* no GET of the client's own between the messages */
}

static void large(iothub_options *o)
{
    quiet(o);
    o->tx_size = 1200000;
}

static void wide(iothub_options *o)
{
    quiet(o);
    o->window = 100;
}

/* --- what stands on the wire ---------------------------------------------------------------- */

static void a_plain_message_has_an_empty_bag(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, quiet);
    fixture_connect(&f);

    fixture_send(&f, "hello");

    assert_string_equal(last(&f)->topic, EVENTS);
    assert_string_equal(last(&f)->payload, "hello");
    assert_int_equal(last(&f)->qos, 1);
    assert_false(last(&f)->retain || last(&f)->dup);
    fixture_free(&f);
}

static void all_system_properties_stand_in_the_topic_by_their_wire_names(void **state)
{
    (void)state;
    client_fixture f;
    static const iothub_property p[] = { { "a b", "1&2=3" }, { "empty", "" }, { "+/#", "%$" } };
    const iothub_telemetry t = {
        .message_id = "m+1",
        .correlation_id = "c",
        .user_id = "u",
        .content_type = "application/json",
        .content_encoding = "utf-8",
        .creation_time = "2026-01-31T12:00:00Z",
        .component = "thermostat1",
        .output = "out",
        .security_message = true,
        .properties = p,
        .property_count = 3,
    };
    fixture_init(&f, quiet);
    fixture_connect(&f);

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);

    assert_string_equal(last(&f)->topic,
                        EVENTS "%24.mid=m%2B1&%24.cid=c&%24.uid=u&%24.ct=application%2Fjson&"
                               "%24.ce=utf-8&%24.ctime=2026-01-31T12%3A00%3A00Z&"
                               "%24.sub=thermostat1&%24.on=out&"
                               "%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1&"
                               "a%20b=1%262%3D3&empty=&%2B%2F%23=%25%24");
    assert_int_equal(last(&f)->payload_len, 0);
    fixture_free(&f);
}

static void a_module_has_its_own_topic(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f,
                    "HostName=h.net;DeviceId=d;ModuleId=m;"
                    "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                    quiet);
    fixture_connect(&f);
    fixture_send(&f, "x");
    assert_string_equal(last(&f)->topic, "devices/d/modules/m/messages/events/");
    fixture_free(&f);
}

static void check_round_trip(client_fixture *f, const char *name, const char *value)
{
    char text[64];
    size_t len = 0;
    iothub_bag_pair pair;
    mqc_span bag = mqc_span_str(last(f)->topic + strlen(EVENTS));

    for (const char *at = (const char *)bag.ptr; *at != '\0'; at++) {
        assert_null(strchr("/+#$ ", *at)); /* nothing that means something in a topic */
    }
    assert_true(iothub_bag_next(&bag, &pair));
    assert_int_equal(bag.len, 0);
    assert_int_equal(iothub_percent_decode(pair.name, text, sizeof text, &len), IOTHUB_OK);
    assert_int_equal(len, strlen(name));
    assert_memory_equal(text, name, len);
    assert_int_equal(iothub_percent_decode(pair.value, text, sizeof text, &len), IOTHUB_OK);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(text, value, len > 0 ? len : 1);
}

static void names_and_values_of_every_ascii_byte_round_trip(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, quiet);
    fixture_connect(&f);

    for (int byte = 1; byte < 128; byte++) {
        const char text[] = { 'a', (char)byte, 'z', '\0' };
        assert_int_equal(send_with(&f, text, "v"), IOTHUB_OK);
        check_round_trip(&f, text, "v");
        assert_int_equal(send_with(&f, text + 1, text), IOTHUB_OK); /* as the first one, too */
        check_round_trip(&f, text + 1, text);
    }
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void utf_8_round_trips(void **state)
{
    (void)state;
    static const char *const texts[] = { "\xC2\x80",        "\xDF\xBF",     "\xE0\xA0\x80",
                                         "\xED\x9F\xBF",    "\xEE\x80\x80", "\xF0\x90\x80\x80",
                                         "\xF4\x8F\xBF\xBF" };
    client_fixture f;
    fixture_init(&f, quiet);
    fixture_connect(&f);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(send_with(&f, texts[i], texts[i]), IOTHUB_OK);
        check_round_trip(&f, texts[i], texts[i]);
    }
    fixture_free(&f);
}

static void what_is_not_utf_8_is_refused_and_named(void **state)
{
    (void)state;
    static const char *const more[] = { "\xC0\x80",         "\xC3",
                                        "\xE2\x82",         "\xED\xA0\x80",
                                        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80" };
    client_fixture f;
    fixture_init(&f, quiet);

    for (int byte = 128; byte < 256; byte++) {
        const char text[] = { 'b', 'a', 'd', (char)byte, '\0' };
        assert_int_equal(send_with(&f, text, "v"), IOTHUB_ERR_ARG);
        assert_non_null(strstr(iothub_last_error(f.client)->text, "bad?"));
        assert_int_equal(send_with(&f, "colour", text), IOTHUB_ERR_ARG);
        assert_non_null(strstr(iothub_last_error(f.client)->text, "colour"));
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        assert_int_equal(send_with(&f, more[i], "v"), IOTHUB_ERR_ARG);
        assert_int_equal(send_with(&f, "n", more[i]), IOTHUB_ERR_ARG);
    }
    fixture_free(&f);
}

static void each_system_property_is_checked_and_named(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        const char *name;
    } fields[] = {
        { offsetof(iothub_telemetry, message_id), "message_id" },
        { offsetof(iothub_telemetry, correlation_id), "correlation_id" },
        { offsetof(iothub_telemetry, user_id), "user_id" },
        { offsetof(iothub_telemetry, content_type), "content_type" },
        { offsetof(iothub_telemetry, content_encoding), "content_encoding" },
        { offsetof(iothub_telemetry, creation_time), "creation_time" },
        { offsetof(iothub_telemetry, component), "component" },
        { offsetof(iothub_telemetry, output), "output" },
    };
    client_fixture f;
    fixture_init(&f, quiet);

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        iothub_telemetry t = { .body_len = 0 };
        const char *bad = "\xFF";
        memcpy((char *)&t + fields[i].offset, &bad, sizeof bad);
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_ARG);
        assert_non_null(strstr(iothub_last_error(f.client)->text, fields[i].name));
    }
    fixture_free(&f);
}

static void impossible_properties_are_refused(void **state)
{
    (void)state;
    client_fixture f;
    iothub_telemetry t = { .body = NULL, .body_len = 1 };
    iothub_op op = 77;
    fixture_init(&f, quiet);

    assert_int_equal(send_with(&f, "", "v"), IOTHUB_ERR_ARG);
    assert_int_equal(send_with(&f, NULL, "v"), IOTHUB_ERR_ARG);
    assert_int_equal(send_with(&f, "colour", NULL), IOTHUB_ERR_ARG);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "colour"));
    assert_int_equal(send_with(&f, "$.mid", "v"), IOTHUB_ERR_ARG);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "$.mid"));
    assert_int_equal(send_with(&f, "$.", "v"), IOTHUB_ERR_ARG);
    assert_int_equal(send_with(&f, "$mid", "v"), IOTHUB_OK);
    assert_int_equal(iothub_send_telemetry(f.client, NULL, &op), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_send_telemetry(f.client, &t, &op), IOTHUB_ERR_ARG);
    t.body_len = 0;
    t.property_count = 1;
    assert_int_equal(iothub_send_telemetry(f.client, &t, &op), IOTHUB_ERR_ARG);
    assert_int_equal(op, 77);
    fixture_free(&f);
}

static void a_property_that_is_given_twice_is_refused_and_named(void **state)
{
    (void)state;
    static const iothub_property p[] = { { "colour", "red" }, { "Colour", "" }, { "colour", "" } };
    client_fixture f;
    iothub_telemetry t = { .properties = p, .property_count = 2 };
    fixture_init(&f, quiet);

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    t.property_count = 3;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_ARG);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "colour is given twice"));
    fixture_free(&f);
}

static iothub_result send_message_id(client_fixture *f, const char *id)
{
    const iothub_telemetry t = { .message_id = id };

    return iothub_send_telemetry(f->client, &t, NULL);
}

static void a_message_id_that_the_hub_would_close_the_connection_for_is_refused(void **state)
{
    (void)state;
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-:.+%_#*?!(),=@;$'";
    client_fixture f;
    char longest[130];
    fixture_init(&f, large);

    for (int byte = 1; byte < 256; byte++) {
        const char id[] = { 'a', (char)byte, '\0' };
        assert_int_equal(send_message_id(&f, id),
                         strchr(allowed, byte) != NULL ? IOTHUB_OK : IOTHUB_ERR_ARG);
    }
    assert_non_null(strstr(iothub_last_error(f.client)->text, "message_id"));
    memset(longest, 'm', sizeof longest);
    longest[129] = '\0';
    assert_int_equal(send_message_id(&f, longest), IOTHUB_ERR_ARG);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "128"));
    longest[128] = '\0';
    assert_int_equal(send_message_id(&f, longest), IOTHUB_OK);
    fixture_free(&f);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void the_limit_of_256_kb_holds_to_the_byte(void **state)
{
    (void)state;
    client_fixture f;
    static const iothub_property p[] = { { "name", "a b" }, { "n", "" } };
    char *body = calloc(1, IOTHUB_MESSAGE_MAX + 1);
    /* 2 of the message id, 4 + 3 and 1 of the properties count; names on the wire do not. */
    iothub_telemetry t = { .body = body,
                           .body_len = IOTHUB_MESSAGE_MAX - 10,
                           .message_id = "id",
                           .properties = p,
                           .property_count = 2 };
    fixture_init(&f, large);
    fixture_connect(&f);

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(last(&f)->payload_len, IOTHUB_MESSAGE_MAX - 10);
    t.body_len++;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);

    t = (iothub_telemetry){ .body = body, .body_len = IOTHUB_MESSAGE_MAX };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    t.body_len++;
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);
    fixture_run(&f);
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
    free(body);
}

static void what_never_fits_is_told_from_what_does_not_fit_now(void **state)
{
    (void)state;
    client_fixture f;
    char *text = calloc(1, 20001);
    memset(text, 'x', 20000);
    fixture_init(&f, quiet);
    const iothub_telemetry big = { .body = text, .body_len = 16384 };
    const iothub_telemetry half = { .body = text, .body_len = 10000 };

    assert_int_equal(iothub_send_telemetry(f.client, &big, NULL), IOTHUB_ERR_TOO_BIG);
    assert_int_equal(send_with(&f, "n", text), IOTHUB_ERR_TOO_BIG);
    assert_int_equal(iothub_send_telemetry(f.client, &half, NULL), IOTHUB_OK);
    assert_int_equal(iothub_send_telemetry(f.client, &half, NULL), IOTHUB_ERR_NO_SPACE);
    fixture_connect(&f);
    assert_int_equal(iothub_send_telemetry(f.client, &half, NULL), IOTHUB_OK);
    fixture_free(&f);
    free(text);
}

static void a_full_ring_refuses_and_all_that_was_accepted_ends_once(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    unsigned accepted = 0;
    fixture_init(&f, quiet);
    for (size_t len = 0;; len = (len * 7 + 13) % 300) {
        static const char body[300];
        const iothub_telemetry t = { .body = body, .body_len = len };
        iothub_op op;
        if (iothub_send_telemetry(f.client, &t, &op) != IOTHUB_OK) {
            break;
        }
        assert_int_equal(op, ++accepted);
    }
    assert_int_equal(iothub_last_error(f.client)->code, IOTHUB_ERR_NO_SPACE);
    assert_true(accepted > 50);
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.queued, accepted);

    fixture_connect(&f);

    assert_int_equal(f.done_count, accepted);
    for (unsigned op = 1; op <= accepted; op++) {
        iothub_result how;
        assert_int_equal(fixture_ended(&f, op, &how), 1);
        assert_int_equal(how, IOTHUB_OK);
    }
    iothub_get_stats(f.client, &stats);
    assert_int_equal(stats.queued, 0);
    assert_int_equal(stats.queued_bytes, 0);
    assert_int_equal(stats.telemetry_accepted, accepted);
    assert_int_equal(stats.telemetry_acknowledged, accepted);
    fixture_free(&f);
}

/* --- time, quality, disconnection ------------------------------------------------------------- */

static void what_waits_too_long_expires_before_it_is_sent(void **state)
{
    (void)state;
    client_fixture f;
    iothub_result how;
    iothub_op expired, kept;
    iothub_telemetry t = { .body = "short", .body_len = 5, .ttl_ms = 1000, .tag = &f };
    fixture_init(&f, quiet);
    assert_int_equal(iothub_send_telemetry(f.client, &t, &expired), IOTHUB_OK);
    t.ttl_ms = 5000;
    assert_int_equal(iothub_send_telemetry(f.client, &t, &kept), IOTHUB_OK);

    fixture_sleep(&f, 999);
    assert_int_equal(f.done_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(fixture_ended(&f, expired, &how), 1);
    assert_int_equal(how, IOTHUB_ERR_EXPIRED);
    assert_ptr_equal(f.dones[0].tag, &f);

    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, 1);
    assert_int_equal(fixture_ended(&f, kept, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_sleep(&f, 10000);
    assert_int_equal(f.done_count, 2);
    fixture_free(&f);
}

static void at_most_once_is_done_when_it_has_left(void **state)
{
    (void)state;
    client_fixture f;
    iothub_op op;
    iothub_result how;
    const iothub_telemetry t = { .body = "x", .body_len = 1, .at_most_once = true };
    fixture_init(&f, quiet);
    assert_int_equal(iothub_send_telemetry(f.client, &t, &op), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(f.done_count, 0);

    fixture_connect(&f);

    assert_int_equal(last(&f)->qos, 0);
    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    fixture_free(&f);
}

static void messages_are_taken_while_disconnected_and_leave_in_order(void **state)
{
    (void)state;
    client_fixture f;
    static const char *const bodies[] = { "1", "2", "3", "4" };
    fixture_init(&f, quiet);
    fixture_send(&f, bodies[0]);
    fixture_connect(&f);
    fixture_cut(&f);
    fixture_send(&f, bodies[1]);
    fixture_send(&f, bodies[2]);
    fixture_sleep(&f, 1000);
    fixture_send(&f, bodies[3]);
    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(fake_hub_at(&f.hub, i)->payload, bodies[i]);
    }
    assert_int_equal(f.done_count, 4);
    fixture_free(&f);
}

static void telemetry_flows_before_the_suback(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, quiet);
    f.hub.mute_subscribe = true;
    iothub_op op = fixture_send(&f, "x");
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_SUBSCRIBING);
    assert_int_equal(fixture_ended(&f, op, NULL), 1);
    fixture_free(&f);
}

/* --- batches and windows ------------------------------------------------------------------------
 */

static void sixteen_queued_messages_leave_in_one_send(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, quiet);
    fixture_connect(&f);
    unsigned before = fixture_stream(&f)->calls[SCRIPTED_SEND];
    for (int i = 0; i < 16; i++) {
        fixture_send(&f, "0123456789");
    }

    fixture_run(&f);

    assert_int_equal(f.hub.publishes, 16);
    assert_int_equal(fixture_stream(&f)->calls[SCRIPTED_SEND], before + 1);
    assert_int_equal(f.done_count, 16);
    fixture_free(&f);
}

static void a_hundred_acknowledgements_are_taken_in_one_pass(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, wide);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    for (int i = 0; i < 100; i++) {
        fixture_send(&f, "x");
    }
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 100);
    for (unsigned i = 0; i < 100; i++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), i);
    }
    unsigned before = fixture_stream(&f)->calls[SCRIPTED_RECV];

    assert_int_equal(iothub_process(f.client), IOTHUB_OK);

    assert_int_equal(f.done_count, 100);
    assert_int_equal(fixture_stream(&f)->calls[SCRIPTED_RECV], before + 1);
    fixture_free(&f);
}

static void no_more_than_the_window_is_in_flight(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, quiet);
    fixture_connect(&f);
    f.hub.mute_publish = true;
    for (int i = 0; i < 40; i++) {
        fixture_send(&f, "x");
    }
    fixture_run(&f);
    assert_int_equal(f.hub.publishes, 16);

    unsigned sent = 16;
    for (unsigned acked = 1; acked <= 40; acked++) {
        fake_hub_ack(&f.hub, fixture_stream(&f), acked - 1);
        fixture_run(&f);
        if (sent - acked <= 8) { /* half of it is free: the next batch */
            sent = acked + 16 < 40 ? acked + 16 : 40;
        }
        assert_int_equal(f.done_count, acked);
        assert_int_equal(f.hub.publishes, sent);
    }
    fixture_free(&f);
}

static void unacknowledged_messages_are_sent_again_in_order(void **state)
{
    (void)state;
    for (int kept = 0; kept <= 1; kept++) {
        client_fixture f;
        char body[16];
        fixture_init(&f, quiet);
        fixture_connect(&f);
        f.hub.mute_publish = true;
        for (int i = 0; i < 20; i++) {
            snprintf(body, sizeof body, "%d", i);
            fixture_send(&f, body);
        }
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, 16);
        fake_hub_ack(&f.hub, fixture_stream(&f), 0);
        fake_hub_ack(&f.hub, fixture_stream(&f), 5); /* a hub may, out of order */
        fixture_run(&f);
        assert_int_equal(f.hub.publishes, 16);

        f.hub.session_present = kept == 1;
        f.hub.mute_publish = false;
        fixture_cut(&f);
        fixture_sleep(&f, 1000);

        assert_int_equal(f.hub.publishes, 16 + 18);
        unsigned n = 16;
        for (int i = 1; i < 20; i++) {
            if (i == 5) {
                continue;
            }
            const fake_hub_publish *p = fake_hub_at(&f.hub, n++);
            snprintf(body, sizeof body, "%d", i);
            assert_string_equal(p->payload, body);
            assert_int_equal(p->dup, kept == 1 && i < 16); /* the others never went before */
            assert_true(p->packet_id != 0);
            if (kept == 1 && i < 16) {
                assert_int_equal(p->packet_id, fake_hub_at(&f.hub, (unsigned)i)->packet_id);
            }
        }
        assert_int_equal(f.done_count, 20);
        fixture_free(&f);
    }
}

/* --- a long run over a bad line
 * -------------------------------------------------------------------- */

enum { RUN = 10000 };

typedef struct run {
    client_fixture f; /* first: callbacks get this pointer */
    uint32_t seed;
    unsigned sent, ended_count;
    uint8_t ended[RUN + 1], reached[RUN + 1];
    unsigned seen;     /* publishes looked at */
    unsigned on, last; /* connection, and the last number seen on it */
} run;

static uint32_t next_random(run *r)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return r->seed >> 8;
}

static void run_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    run *r = user;
    assert_in_range(d->op, 1, RUN);
    assert_int_equal(d->result, IOTHUB_OK);
    assert_int_equal(r->ended[d->op]++, 0);
    assert_int_equal(r->reached[d->op], 1);
    r->ended_count++;
}

static void run_look(run *r)
{
    for (; r->seen < r->f.hub.publishes; r->seen++) {
        unsigned n = (unsigned)strtoul(fake_hub_at(&r->f.hub, r->seen)->payload, NULL, 10);
        assert_in_range(n, 1, RUN);
        if (r->on != r->f.hub.connects) {
            r->on = r->f.hub.connects;
            r->last = 0;
        }
        assert_true(n > r->last); /* in order on each connection */
        r->last = n;
        r->reached[n] = 1;
    }
}

/* The hub at work: its own memory does not count. */
static void run_serve(scripted_stream *s, scripted_call call, plat_result result, void *user)
{
    run *r = user;
    bool was = counting;

    counting = false;
    if (call == SCRIPTED_SEND && result == PLAT_OK) {
        (void)fake_hub_serve(&r->f.hub, s);
        run_look(r);
    }
    counting = was;
}

static void run_options(iothub_options *o)
{
    quiet(o);
    o->callbacks.done = run_done;
    o->callbacks.log = NULL;
    o->tx_size = 8192;
}

static void run_send(run *r)
{
    char body[16];
    unsigned burst = next_random(r) % 40;

    while (burst-- > 0 && r->sent < RUN) {
        iothub_op op;
        snprintf(body, sizeof body, "%u", r->sent + 1);
        const iothub_telemetry t = { .body = body, .body_len = strlen(body) };
        if (iothub_send_telemetry(r->f.client, &t, &op) != IOTHUB_OK) {
            assert_int_equal(iothub_last_error(r->f.client)->code, IOTHUB_ERR_NO_SPACE);
            return;
        }
        assert_int_equal(op, ++r->sent);
    }
}

/* Change the line, or break it. */
static void run_disturb(run *r)
{
    scripted_stream *s = &r->f.platform.streams[0];

    s->send_max = next_random(r) % 3 == 0 ? 1 + next_random(r) % 50 : 0;
    s->recv_max = next_random(r) % 3 == 0 ? 1 + next_random(r) % 5 : 0;
    s->send_room = next_random(r) % 3 == 0 ? next_random(r) % 500 : SIZE_MAX;
    r->f.hub.session_present = next_random(r) % 2 == 0;
    if (next_random(r) % 10 == 0) {
        scripted_fail(s, SCRIPTED_ANY, 1 + next_random(r) % 20, PLAT_ERR_IO);
    }
}

static void start_run(run *r, uint32_t seed)
{
    memset(r, 0, sizeof *r);
    fixture_init(&r->f, run_options);
    r->seed = seed;
    r->f.platform.streams[0].after = run_serve;
    assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
}

static void ten_thousand_messages_survive_a_line_that_breaks_at_random(void **state)
{
    (void)state;
    run *r = calloc(1, sizeof *r);

    for (uint32_t seed = 1; seed <= 4; seed++) {
        iothub_stats stats;
        start_run(r, seed);
        for (unsigned round = 0; r->ended_count < RUN; round++) {
            assert_true(round < 200000);
            run_send(r);
            run_disturb(r);
            assert_int_equal(iothub_process(r->f.client), IOTHUB_OK);
            if (iothub_get_state(r->f.client) == IOTHUB_WAITING) {
                fixture_sleep(&r->f, 60000);
            }
        }
        for (unsigned n = 1; n <= RUN; n++) {
            assert_int_equal(r->ended[n], 1);
        }
        iothub_get_stats(r->f.client, &stats);
        assert_true(stats.losses > 50);
        assert_int_equal(stats.telemetry_acknowledged, RUN);
        fixture_free(&r->f);
    }
    free(r);
}

static void between_first_and_last_message_nothing_is_allocated(void **state)
{
    (void)state;
    run *r = calloc(1, sizeof *r);
    start_run(r, 7);
    fixture_run(&r->f);

    allocations = 0;
    counting = true;
    while (r->ended_count < RUN) {
        run_send(r);
        (void)iothub_process(r->f.client);
        iothub_poll p;
        iothub_poll_info(r->f.client, &p);
        if (r->sent == RUN / 2) { /* a connection lost on the way, too */
            scripted_fail(&r->f.platform.streams[0], SCRIPTED_SEND, 1, PLAT_ERR_IO);
        }
        fake_clock_advance(&r->f.platform.clock, 100);
    }
    counting = false;

    assert_int_equal(allocations, 0);
    counting = true; /* and the counter does count */
    void *volatile p = malloc(1);
    counting = false;
    free(p);
    assert_int_equal(allocations, 1);
    fixture_free(&r->f);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_message_has_an_empty_bag),
        cmocka_unit_test(all_system_properties_stand_in_the_topic_by_their_wire_names),
        cmocka_unit_test(a_module_has_its_own_topic),
        cmocka_unit_test(names_and_values_of_every_ascii_byte_round_trip),
        cmocka_unit_test(utf_8_round_trips),
        cmocka_unit_test(what_is_not_utf_8_is_refused_and_named),
        cmocka_unit_test(each_system_property_is_checked_and_named),
        cmocka_unit_test(impossible_properties_are_refused),
        cmocka_unit_test(a_property_that_is_given_twice_is_refused_and_named),
        cmocka_unit_test(a_message_id_that_the_hub_would_close_the_connection_for_is_refused),
        cmocka_unit_test(the_limit_of_256_kb_holds_to_the_byte),
        cmocka_unit_test(what_never_fits_is_told_from_what_does_not_fit_now),
        cmocka_unit_test(a_full_ring_refuses_and_all_that_was_accepted_ends_once),
        cmocka_unit_test(what_waits_too_long_expires_before_it_is_sent),
        cmocka_unit_test(at_most_once_is_done_when_it_has_left),
        cmocka_unit_test(messages_are_taken_while_disconnected_and_leave_in_order),
        cmocka_unit_test(telemetry_flows_before_the_suback),
        cmocka_unit_test(sixteen_queued_messages_leave_in_one_send),
        cmocka_unit_test(a_hundred_acknowledgements_are_taken_in_one_pass),
        cmocka_unit_test(no_more_than_the_window_is_in_flight),
        cmocka_unit_test(unacknowledged_messages_are_sent_again_in_order),
        cmocka_unit_test(ten_thousand_messages_survive_a_line_that_breaks_at_random),
        cmocka_unit_test(between_first_and_last_message_nothing_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
