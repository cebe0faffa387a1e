#include "hub_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "base/json.h"
#include "made_requests.h"
#include "registry/client_chain.h"
#include "registry/issuer.h"

#define NOW INT64_C(1700000000)

static hub_issuer open_issuer(hub_fixture *f)
{
    hub_issuer issuer;
    hub_fault fault;

    if (hub_issuer_open(&issuer, &f->hub.registry.store, NOW, &fault) != HUB_OK) {
        fail_msg("%s", fault.text);
    }
    return issuer;
}

static hub_issued issue(const hub_issuer *issuer, const char *device, int64_t life_s)
{
    const made_request_plan plan = { .name = device };
    char *request = made_request(&plan);
    hub_issued issued;
    hub_fault fault;

    const hub_issuer_order order = {
        .request = request, .name = device, .device = device, .life_s = life_s
    };
    assert_int_equal(hub_issuer_issue(issuer, &order, NOW, &issued, &fault), HUB_OK);
    free(request);
    return issued;
}

static void a_certificate_leads_to_the_root_for_as_long_as_it_was_asked_for(void **state)
{
    hub_issuer issuer = open_issuer(*state);
    hub_issued issued = issue(&issuer, "dev", 30);
    const hub_client_chain chain = { .items = { issued.items[0], issued.items[1] }, .count = 2 };
    hub_certificate *root = issuer.root.certificate;
    hub_fault fault;

    assert_string_equal(issued.items[0]->name, "dev");
    assert_string_equal(issued.items[0]->subject, "CN=dev");
    assert_int_equal(issued.items[0]->not_before_s, NOW);
    assert_int_equal(issued.items[0]->not_after_s, NOW + 30);
    assert_false(issued.items[0]->is_ca);
    assert_ptr_equal(issued.items[2], root);
    assert_int_equal(hub_client_chain_check_path(&chain, &root, 1, NOW + 29, NULL, &fault), HUB_OK);
    assert_int_equal(hub_client_chain_check_path(&chain, &root, 1, NOW + 31, NULL, &fault),
                     HUB_ERR_UNAUTHORIZED);
    const hub_client_chain alone = { .items = { issued.items[0] }, .count = 1 };
    assert_int_equal(hub_client_chain_check_path(&alone, &root, 1, NOW, NULL, &fault),
                     HUB_ERR_UNAUTHORIZED);
    hub_issued_free(&issued);
    hub_issuer_close(&issuer);
}

static void each_certificate_has_a_serial_number_of_its_own(void **state)
{
    hub_issuer issuer = open_issuer(*state);
    hub_issued a = issue(&issuer, "dev", 30);
    hub_issued b = issue(&issuer, "dev", 30);

    assert_string_not_equal(a.items[0]->serial, b.items[0]->serial);
    assert_string_not_equal(a.items[0]->thumbprint, b.items[0]->thumbprint);
    hub_issued_free(&a);
    hub_issued_free(&b);
    hub_issuer_close(&issuer);
}

static void a_bad_request_gets_nothing(void **state)
{
    hub_issuer issuer = open_issuer(*state);
    const made_request_plan plan = { .name = "other" };
    char *request = made_request(&plan);
    hub_issued issued;
    hub_fault fault;

    const hub_issuer_order order = {
        .request = request, .name = "dev", .device = "dev", .life_s = 30
    };
    assert_int_equal(hub_issuer_issue(&issuer, &order, NOW, &issued, &fault), HUB_ERR_ARGUMENT);
    assert_null(issued.items[0]);
    free(request);
    hub_issuer_close(&issuer);
}

static void both_encodings_hold_the_same_certificates(void **state)
{
    hub_issuer issuer = open_issuer(*state);
    hub_issued issued = issue(&issuer, "dev", 30);
    cJSON *pem = hub_issued_view(&issued, true);
    cJSON *der = hub_issued_view(&issued, false);

    assert_int_equal(cJSON_GetArraySize(pem), 3);
    assert_int_equal(cJSON_GetArraySize(der), 3);
    for (int i = 0; i < 3; i++) {
        const char *texts[] = { cJSON_GetArrayItem(pem, i)->valuestring,
                                cJSON_GetArrayItem(der, i)->valuestring };
        for (size_t k = 0; k < 2; k++) {
            hub_certificate *c;
            hub_fault fault;
            assert_int_equal(strncmp(texts[k], "-----BEGIN", 10) == 0, k == 0);
            assert_int_equal(hub_certificate_from_text(&c, texts[k], &fault), HUB_OK);
            assert_string_equal(c->thumbprint256, issued.items[i]->thumbprint256);
            hub_certificate_free(c);
        }
    }
    cJSON_Delete(pem);
    cJSON_Delete(der);
    hub_issued_free(&issued);
    hub_issuer_close(&issuer);
}

static void the_authorities_stay_the_same_in_a_later_run(void **state)
{
    hub_fixture *f = *state;
    hub_issuer first = open_issuer(f);
    hub_issuer second = open_issuer(f);

    assert_string_equal(first.root.certificate->thumbprint, second.root.certificate->thumbprint);
    hub_issued issued = issue(&second, "dev", 30);
    const hub_client_chain chain = { .items = { issued.items[0], issued.items[1] }, .count = 2 };
    hub_fault fault;
    assert_int_equal(
        hub_client_chain_check_path(&chain, &first.root.certificate, 1, NOW, NULL, &fault), HUB_OK);
    assert_string_equal(f->notices, "");
    hub_issued_free(&issued);
    hub_issuer_close(&first);
    hub_issuer_close(&second);
}

static void damaged_authorities_are_set_aside_and_reported(void **state)
{
    static const char *const texts[] = { "", "{}", "{\"root\":{\"certificate\":\"AAAA\"}}" };
    hub_fixture *f = *state;
    hub_issuer first = open_issuer(f);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hub_fault fault;
        f->notices[0] = '\0';
        assert_int_equal(hub_store_write(&f->hub.registry.store, "issuer.json", texts[i],
                                         strlen(texts[i]), &fault),
                         HUB_OK);
        hub_issuer again = open_issuer(f);
        assert_string_not_equal(again.root.certificate->thumbprint,
                                first.root.certificate->thumbprint);
        assert_non_null(strstr(f->notices, "issuer.json"));
        assert_non_null(strstr(f->notices, "new certificates"));
        hub_issuer_close(&again);
    }
    hub_issuer_close(&first);
}

/* A key that does not belong to its certificate would sign certificates that nobody accepts. */
static void authorities_with_each_others_keys_are_set_aside(void **state)
{
    hub_fixture *f = *state;
    hub_issuer first = open_issuer(f);
    hub_fault fault;
    cJSON *json;

    assert_int_equal(hub_store_read_json(&f->hub.registry.store, "issuer.json", &json, &fault),
                     HUB_OK);
    cJSON *root = cJSON_GetObjectItem(json, "root");
    cJSON *key = cJSON_DetachItemFromObject(root, "key");
    hub_json_add_text(root, "key",
                      hub_json_string(cJSON_GetObjectItem(json, "intermediate"), "key"));
    assert_int_equal(hub_store_write_json(&f->hub.registry.store, "issuer.json", json, &fault),
                     HUB_OK);
    hub_issuer again = open_issuer(f);
    assert_string_not_equal(again.root.certificate->thumbprint, first.root.certificate->thumbprint);
    cJSON_Delete(key);
    cJSON_Delete(json);
    hub_issuer_close(&first);
    hub_issuer_close(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        TEST(a_certificate_leads_to_the_root_for_as_long_as_it_was_asked_for),
        TEST(each_certificate_has_a_serial_number_of_its_own),
        TEST(a_bad_request_gets_nothing),
        TEST(both_encodings_hold_the_same_certificates),
        TEST(the_authorities_stay_the_same_in_a_later_run),
        TEST(damaged_authorities_are_set_aside_and_reported),
        TEST(authorities_with_each_others_keys_are_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
