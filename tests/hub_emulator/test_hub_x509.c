/* Tests devices and modules that log in with certificates: they are registered over the service
 * API and judged at their login. */

#include <stdlib.h>
#include <string.h>

#include "hub_exchange.h"
#include "made_certificates.h"

#define NOW   ((int64_t)FIXTURE_NOW_S)
#define START (NOW - 1000)
#define END   (NOW + 1000)

static const int client;
static made_certificate root;
static made_certificate intermediate;
static made_certificate leaf;    /* for device1, signed by the intermediate authority */
static made_certificate direct;  /* for device1, signed by the root */
static made_certificate other;   /* for device2, signed by the root */
static made_certificate lone;    /* for device1, signed by itself */
static made_certificate expired; /* for device1, signed by the root */
static made_certificate early;   /* for device1, signed by the root */
static made_certificate module;  /* for device1/m, signed by the root */

static int make_all(void **state)
{
    (void)state;
    made_init(&root, &(made_plan){ "Root", NULL, START, END, true, -1, false });
    made_init(&intermediate, &(made_plan){ "Middle", &root, START, END, true, -1, false });
    made_init(&leaf, &(made_plan){ "device1", &intermediate, START, END, false, -1, false });
    made_init(&direct, &(made_plan){ "device1", &root, START, END, false, -1, false });
    made_init(&other, &(made_plan){ "device2", &root, START, END, false, -1, false });
    made_init(&lone, &(made_plan){ "device1", NULL, START, END, false, -1, false });
    made_init(&expired, &(made_plan){ "device1", &root, START, NOW, false, -1, false });
    made_init(&early, &(made_plan){ "device1", &root, NOW + 1, END, false, -1, false });
    made_init(&module, &(made_plan){ "device1/m", &root, START, END, false, -1, false });
    return 0;
}

static int free_all(void **state)
{
    made_certificate *all[] = { &root, &intermediate, &leaf,  &direct, &other,
                                &lone, &expired,      &early, &module };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        made_deinit(all[i]);
    }
    return 0;
}

/* --- what the tests do -------------------------------------------------- */

typedef struct attempt {
    const char *client_id;          /* NULL: device1 */
    const made_certificate *own;    /* NULL: no certificate */
    const made_certificate *second; /* second certificate of the chain; NULL: none */
    const char *password;
} attempt;

static char *chain_text(const attempt *a)
{
    char *own = a->own != NULL ? made_text(a->own) : hub_strdup("");
    char *second = a->second != NULL ? made_text(a->second) : NULL;
    char *text = second != NULL ? hub_format("%s,%s", own, second) : hub_strdup(own);

    free(own);
    free(second);
    return text;
}

static hub_fault fault;

/* Logs in, and disconnects if the login was accepted. */
static hub_result log_in(hub_fixture *f, const attempt *a)
{
    const char *client_id = a->client_id != NULL ? a->client_id : "device1";
    char *user = hub_format("localhost/%s/?api-version=2021-04-12", client_id);
    char *text = chain_text(a);
    hub_client_chain chain;

    assert_int_equal(hub_client_chain_read(&chain, text, strlen(text), &fault), HUB_OK);
    const hub_credentials c = {
        .client_id = client_id,
        .user_name = user,
        .password = a->password,
        .chain = &chain,
    };
    hub_result r = hub_connect(&f->hub, &client, &c, true, &fault);
    hub_client_chain_free(&chain);
    free(text);
    free(user);
    return r;
}

static bool enters(hub_fixture *f, const attempt *a)
{
    hub_result r = log_in(f, a);

    assert_true(r == HUB_OK || r == HUB_ERR_UNAUTHORIZED);
    if (r == HUB_OK) {
        hub_disconnected(&f->hub, &client);
    }
    return r == HUB_OK;
}

static bool enters_with(hub_fixture *f, const made_certificate *own, const made_certificate *second)
{
    const attempt a = { .own = own, .second = second };
    return enters(f, &a);
}

static int put(hub_fixture *f, const char *path, const char *body)
{
    hub_exchange x = { .fixture = f, .if_match = "*" };
    int status = hub_ask(&x, "PUT", path, body);

    hub_exchange_end(&x);
    return status;
}

static void set_type(hub_fixture *f, const char *path, const char *type, const char *prints)
{
    char *body =
        hub_format("{\"authentication\":{\"type\":\"%s\"%s%s}}", type,
                   prints != NULL ? ",\"x509Thumbprint\":" : "", prints != NULL ? prints : "");
    assert_int_equal(put(f, path, body), 200);
    free(body);
}

static void set_thumbprints(hub_fixture *f, const char *primary, const char *secondary)
{
    char *prints = hub_format("{\"primaryThumbprint\":\"%s\",\"secondaryThumbprint\":\"%s\"}",
                              primary, secondary);
    set_type(f, "/devices/device1", "selfSigned", prints);
    free(prints);
}

static void register_ca(hub_fixture *f, const made_certificate *ca)
{
    char *text = made_text(ca);
    char *body = hub_format("{\"certificate\":\"%s\"}", text);
    hub_exchange x = { .fixture = f };

    assert_int_equal(hub_ask(&x, "POST", "/emulator/authorities", body), 201);
    hub_exchange_end(&x);
    free(body);
    free(text);
}

static hub_certificate *described(const made_certificate *m)
{
    hub_certificate *c;
    char *text = made_text(m);

    assert_int_equal(hub_certificate_from_text(&c, text, &fault), HUB_OK);
    free(text);
    return c;
}

/* --- by thumbprint ----------------------------------------------------- */

static void a_thumbprint_opens_and_nothing_else_does(void **state)
{
    hub_fixture *f = *state;
    hub_certificate *own = described(&lone);
    hub_certificate *older = described(&direct);
    static const char wrong[] = "0000000000000000000000000000000000000000";

    set_thumbprints(f, own->thumbprint, "");
    assert_true(enters_with(f, &lone, NULL));
    assert_true(enters_with(f, &lone, &root)); /* the rest of the chain does not matter */
    assert_false(enters_with(f, &direct, NULL));
    assert_false(enters_with(f, NULL, NULL));
    assert_string_equal(fault.text, "no client certificate");
    set_thumbprints(f, "", own->thumbprint256);
    assert_true(enters_with(f, &lone, NULL));
    set_thumbprints(f, older->thumbprint, own->thumbprint);
    assert_true(enters_with(f, &lone, NULL));
    assert_true(enters_with(f, &direct, NULL));
    /* a thumbprint that was withdrawn */
    set_thumbprints(f, older->thumbprint, wrong);
    assert_false(enters_with(f, &lone, NULL));
    assert_true(enters_with(f, &direct, NULL));
    hub_certificate_free(own);
    hub_certificate_free(older);
}

static void the_dates_of_a_certificate_with_a_thumbprint_count(void **state)
{
    hub_fixture *f = *state;
    hub_certificate *late = described(&expired);
    hub_certificate *soon = described(&early);

    set_thumbprints(f, late->thumbprint, soon->thumbprint);
    assert_false(enters_with(f, &expired, NULL));
    assert_non_null(strstr(fault.text, "has expired"));
    assert_false(enters_with(f, &early, NULL));
    assert_non_null(strstr(fault.text, "not valid yet"));
    f->now_ms += 1000;
    assert_true(enters_with(f, &early, NULL));
    hub_certificate_free(late);
    hub_certificate_free(soon);
}

/* --- by CA -------------------------------------------------------------- */

static void a_registered_ca_opens_for_the_name_in_the_certificate(void **state)
{
    hub_fixture *f = *state;

    set_type(f, "/devices/device1", "certificateAuthority", NULL);
    assert_false(enters_with(f, &direct, NULL));
    register_ca(f, &root);
    assert_true(enters_with(f, &direct, NULL));
    assert_true(enters_with(f, &leaf, &intermediate));
    assert_false(enters_with(f, &leaf, NULL));
    assert_non_null(strstr(fault.text, "no path from the client certificate to a registered CA"));
    assert_false(enters_with(f, &lone, NULL));
    assert_false(enters_with(f, &other, NULL));
    assert_string_equal(fault.text,
                        "the common name of the client certificate, device2, is not device1");
    assert_false(enters_with(f, &expired, NULL));
    assert_false(enters_with(f, &early, NULL));
    assert_false(enters_with(f, NULL, NULL));
    fixture_restart(f); /* the CA is in the state directory */
    assert_true(enters_with(f, &leaf, &intermediate));
}

static void a_ca_that_was_withdrawn_opens_nothing(void **state)
{
    hub_fixture *f = *state;
    hub_certificate *ca = described(&root);
    hub_exchange x = { .fixture = f };
    char *path = hub_format("/emulator/authorities/%s", ca->thumbprint256);

    set_type(f, "/devices/device1", "certificateAuthority", NULL);
    register_ca(f, &root);
    assert_true(enters_with(f, &direct, NULL));
    assert_int_equal(hub_ask(&x, "DELETE", path, NULL), 204);
    assert_false(enters_with(f, &direct, NULL));
    assert_int_equal(hub_ask(&x, "DELETE", path, NULL), 404);
    hub_exchange_end(&x);
    fixture_restart(f);
    assert_false(enters_with(f, &direct, NULL));
    free(path);
    hub_certificate_free(ca);
}

static void modules_have_certificates_too(void **state)
{
    hub_fixture *f = *state;
    const attempt own = { .client_id = "device1/m", .own = &module };
    const attempt device = { .client_id = "device1/m", .own = &direct };

    register_ca(f, &root);
    hub_exchange x = { .fixture = f };
    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m",
                             "{\"authentication\":{\"type\":\"certificateAuthority\"}}"),
                     200);
    hub_exchange_end(&x);
    assert_true(enters(f, &own));
    assert_false(enters(f, &device));
    assert_false(enters_with(f, &module, NULL)); /* the device of the module has keys */
}

static void a_disabled_device_is_refused(void **state)
{
    hub_fixture *f = *state;

    register_ca(f, &root);
    assert_int_equal(put(f, "/devices/device1",
                         "{\"status\":\"disabled\",\"authentication\":{\"type\":"
                         "\"certificateAuthority\"}}"),
                     200);
    assert_false(enters_with(f, &direct, NULL));
    assert_string_equal(fault.text, "disabled");
    assert_int_equal(put(f, "/devices/device1", "{\"status\":\"enabled\"}"), 200);
    assert_true(enters_with(f, &direct, NULL));
}

/* --- tokens and certificates -------------------------------------------- */

static void each_type_opens_by_its_own_proof_only(void **state)
{
    hub_fixture *f = *state;
    const hub_identity *id = fixture_device(f, "device1");
    char *token = fixture_token("localhost/devices/device1", id->primary_key, NOW + 100, NULL);
    const hub_policy *policy = hub_policies_find(&f->hub.registry.policies, "device");
    char *shared = fixture_token("localhost", policy->primary_key, NOW + 100, "device");
    const attempt with_token = { .password = token };
    const attempt with_both = { .own = &direct, .password = token };
    const attempt with_policy = { .password = shared };
    const attempt with_empty = { .own = &direct, .password = "" };

    register_ca(f, &root);
    assert_true(enters(f, &with_token));
    assert_true(enters(f, &with_both));
    assert_false(enters_with(f, &direct, NULL));
    assert_string_equal(fault.text, "no password, which an identity with symmetric keys needs");
    set_type(f, "/devices/device1", "certificateAuthority", NULL);
    assert_false(enters(f, &with_token));
    assert_false(enters(f, &with_both));
    assert_true(enters_with(f, &direct, NULL));
    assert_true(enters(f, &with_empty));
    assert_true(enters(f, &with_policy));
    set_type(f, "/devices/device1", "sas", NULL);
    assert_true(enters(f, &with_token));
    assert_false(enters_with(f, &direct, NULL));
    free(token);
    free(shared);
}

static void events_say_how_the_device_has_logged_in(void **state)
{
    hub_fixture *f = *state;
    const attempt a = { .own = &direct };

    register_ca(f, &root);
    set_type(f, "/devices/device1", "certificateAuthority", NULL);
    assert_int_equal(log_in(f, &a), HUB_OK);
    assert_int_equal(fixture_publish(f, &client, "devices/device1/messages/events/", "x"), HUB_OK);
    uint64_t from = 1;
    const hub_event *event = hub_telemetry_from(&f->hub.telemetry, &from, NULL);
    assert_non_null(event);
    assert_non_null(strstr(event->json, "\\\"scope\\\":\\\"device\\\",\\\"type\\\":\\\"x509\\\""));
}

static void a_connection_ends_when_its_certificate_expires(void **state)
{
    hub_fixture *f = *state;
    const attempt a = { .own = &direct };

    register_ca(f, &root);
    set_type(f, "/devices/device1", "certificateAuthority", NULL);
    assert_int_equal(log_in(f, &a), HUB_OK);
    f->now_ms = (END - 1) * 1000;
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "");
    f->now_ms = END * 1000;
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "device1 ");
}

/* --- the service API ----------------------------------------------------- */

#define PRINT   "0123456789ABCDEF0123456789ABCDEF01234567"
#define PRINT_2 "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

static void the_service_sees_the_type_and_no_keys(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };

    set_thumbprints(f, PRINT, PRINT_2);
    assert_int_equal(hub_ask(&x, "GET", "/devices/device1", NULL), 200);
    assert_non_null(strstr(hub_reply(&x),
                           "\"authentication\":{\"symmetricKey\":{\"primaryKey\":"
                           "null,\"secondaryKey\":null},\"x509Thumbprint\":{"
                           "\"primaryThumbprint\":\"" PRINT "\",\"secondaryThumbprint\":\"" PRINT_2
                           "\"},\"type\":\"selfSigned\"}"));
    assert_int_equal(hub_ask(&x, "GET", "/twins/device1", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "\"authenticationType\":\"selfSigned\""));
    assert_non_null(strstr(hub_reply(&x), PRINT_2));
    assert_int_equal(hub_ask(&x, "POST", "/devices/query",
                             "{\"query\":\"SELECT deviceId FROM devices WHERE "
                             "authenticationType = 'selfSigned'\"}"),
                     200);
    assert_string_equal(hub_reply(&x), "[{\"deviceId\":\"device1\"}]");
    char *text = hub_identity_connection_string(fixture_device(f, "device1"), "h");
    assert_string_equal(text, "HostName=h;DeviceId=device1;x509=true");
    free(text);
    hub_exchange_end(&x);
}

static void a_change_keeps_what_it_does_not_name(void **state)
{
    hub_fixture *f = *state;
    const hub_identity *id = fixture_device(f, "device1");

    set_thumbprints(f, PRINT, PRINT_2);
    assert_int_equal(put(f, "/devices/device1", "{\"statusReason\":\"x\"}"), 200);
    assert_int_equal(id->auth_type, HUB_AUTH_SELF_SIGNED);
    assert_string_equal(id->primary_thumbprint, PRINT);
    assert_int_equal(put(f, "/devices/device1", "{\"authentication\":{\"type\":\"SELFSIGNED\"}}"),
                     200);
    assert_string_equal(id->secondary_thumbprint, PRINT_2);
    fixture_restart(f);
    id = fixture_device(f, "device1");
    assert_int_equal(id->auth_type, HUB_AUTH_SELF_SIGNED);
    assert_string_equal(id->secondary_thumbprint, PRINT_2);
    /* the type follows from the thumbprint, as older SDKs send it */
    set_type(f, "/devices/device1", "sas", NULL);
    assert_null(id->primary_thumbprint);
    assert_int_equal(put(f, "/devices/device1",
                         "{\"authentication\":{\"x509Thumbprint\":{\"primaryThumbprint\":\"" PRINT
                         "\"}}}"),
                     200);
    assert_int_equal(id->auth_type, HUB_AUTH_SELF_SIGNED);
    assert_null(id->secondary_thumbprint);
}

static void wrong_bodies_are_refused_and_change_nothing(void **state)
{
    static const char *const bodies[] = {
        "{\"type\":\"x509\"}",
        "{\"type\":\"selfSigned\"}",
        "{\"type\":\"selfSigned\",\"x509Thumbprint\":{}}",
        "{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"\"}}",
        "{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"12\"}}",
        "{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"" PRINT "0\"}}",
        "{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"" PRINT
        "\",\"secondaryThumbprint\":\"x\"}}",
    };
    hub_fixture *f = *state;
    const hub_identity *id = fixture_device(f, "device1");

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char *body = hub_format("{\"authentication\":%s}", bodies[i]);
        assert_int_equal(put(f, "/devices/device1", body), 400);
        assert_int_equal(id->auth_type, HUB_AUTH_SAS);
        free(body);
    }
}

static void only_certificates_of_cas_are_registered(void **state)
{
    hub_fixture *f = *state;
    hub_exchange x = { .fixture = f };
    char *text = made_text(&leaf);
    char *body = hub_format("{\"certificate\":\"%s\"}", text);

    assert_int_equal(hub_ask(&x, "POST", "/emulator/authorities", body), 400);
    assert_int_equal(hub_ask(&x, "POST", "/emulator/authorities", "{\"certificate\":\"x\"}"), 400);
    assert_int_equal(hub_ask(&x, "POST", "/emulator/authorities", "{}"), 400);
    assert_int_equal(hub_ask(&x, "GET", "/emulator/authorities", NULL), 200);
    assert_string_equal(hub_reply(&x), "[]");
    register_ca(f, &root);
    register_ca(f, &root);
    assert_int_equal(f->hub.registry.authorities.count, 1);
    assert_int_equal(hub_ask(&x, "GET", "/emulator/authorities", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), "\"subject\":\"CN=Root\""));
    hub_exchange_end(&x);
    free(body);
    free(text);
}

#define WITH_HUB(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_HUB(a_thumbprint_opens_and_nothing_else_does),
        WITH_HUB(the_dates_of_a_certificate_with_a_thumbprint_count),
        WITH_HUB(a_registered_ca_opens_for_the_name_in_the_certificate),
        WITH_HUB(a_ca_that_was_withdrawn_opens_nothing),
        WITH_HUB(modules_have_certificates_too),
        WITH_HUB(a_disabled_device_is_refused),
        WITH_HUB(each_type_opens_by_its_own_proof_only),
        WITH_HUB(events_say_how_the_device_has_logged_in),
        WITH_HUB(a_connection_ends_when_its_certificate_expires),
        WITH_HUB(the_service_sees_the_type_and_no_keys),
        WITH_HUB(a_change_keeps_what_it_does_not_name),
        WITH_HUB(wrong_bodies_are_refused_and_change_nothing),
        WITH_HUB(only_certificates_of_cas_are_registered),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
