#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "hub/property_bag.h"
#include "mqtt_core/topic.h"
#include "text/percent.h"

#define EVENTS "devices/device1/messages/events/"

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
    const fake_hub_publish *p = fake_hub_at(&f->hub, f->hub.publishes - 1);
    /* Checked here, because the engine does not check it. */
    assert_true(mqc_topic_name_valid(mqc_span_str(p->topic)));
    return p;
}

static void large(iothub_options *o)
{
    fixture_quiet(o);
    o->tx_size = 1200000;
}

/* --- what stands on the wire ---------------------------------------------------------------- */

static void a_plain_message_has_an_empty_bag(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
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
    fixture_init(&f, fixture_quiet);
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
                    fixture_quiet);
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
        /* No character with a meaning in topics is left unescaped. */
        assert_null(strchr("/+#$ ", *at));
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
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);

    for (int byte = 1; byte < 128; byte++) {
        const char text[] = { 'a', (char)byte, 'z', '\0' };
        assert_int_equal(send_with(&f, text, "v"), IOTHUB_OK);
        check_round_trip(&f, text, "v");
        /* The byte is also tried as the first one. */
        assert_int_equal(send_with(&f, text + 1, text), IOTHUB_OK);
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
    fixture_init(&f, fixture_quiet);
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
    fixture_init(&f, fixture_quiet);

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
    fixture_init(&f, fixture_quiet);

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
    fixture_init(&f, fixture_quiet);

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

static void a_date_or_name_of_the_wrong_form_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        iothub_telemetry t;
        const char *text;
    } cases[] = {
        { { .creation_time = "2026-01-31T12:00:00Z", .component = "thermostat1", .output = "o-1" },
          NULL },
        { { .creation_time = "yesterday" }, "creation_time is not a date" },
        { { .creation_time = "" }, "creation_time is not a date" },
        { { .component = "thermo stat" }, "component has white space" },
        { { .output = "out\t" }, "output has white space" },
    };
    client_fixture f;
    fixture_init(&f, fixture_quiet);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_result r = iothub_send_telemetry(f.client, &cases[i].t, NULL);
        if (cases[i].text == NULL) {
            assert_int_equal(r, IOTHUB_OK);
            continue;
        }
        assert_int_equal(r, IOTHUB_ERR_ARG);
        assert_non_null(strstr(iothub_last_error(f.client)->text, cases[i].text));
    }
    fixture_free(&f);
}

static void a_property_that_is_given_twice_is_refused_and_named(void **state)
{
    (void)state;
    static const iothub_property p[] = { { "colour", "red" }, { "Colour", "" }, { "colour", "" } };
    client_fixture f;
    iothub_telemetry t = { .properties = p, .property_count = 2 };
    fixture_init(&f, fixture_quiet);

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
    /* The message id counts 2 bytes, the properties 4 + 3 and 1; names that exist only on the
     * wire do not count. */
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

static void what_never_fits_differs_from_what_does_not_fit_now(void **state)
{
    (void)state;
    client_fixture f;
    char *text = calloc(1, 20001);
    memset(text, 'x', 20000);
    fixture_init(&f, fixture_quiet);
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

static void names_of_different_properties(iothub_property *p, char (*names)[20], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%zx", i);
        p[i] = (iothub_property){ names[i], "" };
    }
}

/* An algorithm that compares each property with each other would take days. */
static void a_million_properties_are_refused_without_reading_them_all(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    iothub_property *p = malloc(MANY * sizeof *p);
    char(*names)[20] = malloc(MANY * sizeof *names);
    client_fixture f;
    fixture_init(&f, large);
    names_of_different_properties(p, names, MANY);

    const iothub_telemetry t = { .properties = p, .property_count = MANY };
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);

    fixture_free(&f);
    free(names);
    free(p);
}

static void among_thousands_of_properties_each_repeated_one_is_found(void **state)
{
    (void)state;
    enum { MANY = 6000 };
    iothub_property *p = malloc(MANY * sizeof *p);
    char(*names)[20] = malloc(MANY * sizeof *names);
    client_fixture f;
    fixture_init(&f, large);

    for (size_t count = 2; count <= MANY; count = count * 3 / 2 + 1) {
        names_of_different_properties(p, names, count);
        const iothub_telemetry t = { .properties = p, .property_count = count };
        assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
        for (size_t at = 1; at < count; at += count / 2) {
            const char *own = p[at].name;
            p[at].name = names[at / 2];
            assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_ARG);
            assert_non_null(strstr(iothub_last_error(f.client)->text, "is given twice"));
            p[at].name = own;
        }
    }
    fixture_free(&f);
    free(names);
    free(p);
}

static void a_full_ring_refuses_and_all_that_was_accepted_ends_once(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats stats;
    unsigned accepted = 0;
    fixture_init(&f, fixture_quiet);
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
        cmocka_unit_test(a_date_or_name_of_the_wrong_form_is_refused_and_named),
        cmocka_unit_test(a_property_that_is_given_twice_is_refused_and_named),
        cmocka_unit_test(a_message_id_that_the_hub_would_close_the_connection_for_is_refused),
        cmocka_unit_test(the_limit_of_256_kb_holds_to_the_byte),
        cmocka_unit_test(what_never_fits_differs_from_what_does_not_fit_now),
        cmocka_unit_test(a_million_properties_are_refused_without_reading_them_all),
        cmocka_unit_test(among_thousands_of_properties_each_repeated_one_is_found),
        cmocka_unit_test(a_full_ring_refuses_and_all_that_was_accepted_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
