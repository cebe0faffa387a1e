/* Tests which devices may register with their certificates. Those with keys are tested in
 * test_hub_hub_dps.c. */

#include "dps_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "dps/dps_admit.h"
#include "made_certificates.h"

#define NOW   ((int64_t)FIXTURE_NOW_S)
#define LATER (NOW + 1000)

/* A root, an authority below it, and certificates of a device. */
typedef struct world {
    hub_fixture *fixture;
    made_certificate root;
    made_certificate other_root;
    made_certificate middle;
    made_certificate device; /* signed by the middle authority, for "dev" */
    made_certificate expired;
    made_certificate future;
    made_certificate self; /* signed by itself, for "dev" */
    made_certificate self_other;
    made_certificate stranger; /* signed by the other root */
} world;

static void make(made_certificate *m, const char *name, const made_certificate *issuer, bool is_ca)
{
    const made_plan plan = { .name = name,
                             .issuer = issuer,
                             .not_before_s = NOW - 1000,
                             .not_after_s = LATER,
                             .is_ca = is_ca,
                             .path_len = -1 };
    made_init(m, &plan);
}

static void make_dated(made_certificate *m, const made_certificate *issuer, int64_t from,
                       int64_t to)
{
    const made_plan plan = {
        .name = "dev", .issuer = issuer, .not_before_s = from, .not_after_s = to, .path_len = -1
    };
    made_init(m, &plan);
}

static int setup(void **state)
{
    static world w;
    void *fixture;
    int r = dps_fixture_setup(&fixture);

    w.fixture = fixture;
    make(&w.root, "root", NULL, true);
    make(&w.other_root, "other root", NULL, true);
    make(&w.middle, "middle", &w.root, true);
    make(&w.device, "dev", &w.middle, false);
    make_dated(&w.expired, &w.middle, NOW - 1000, NOW - 1);
    make_dated(&w.future, &w.middle, NOW + 100, LATER);
    make(&w.self, "dev", NULL, false);
    make(&w.self_other, "dev", NULL, false);
    make(&w.stranger, "dev", &w.other_root, false);
    *state = &w;
    return r;
}

static int teardown(void **state)
{
    world *w = *state;
    void *fixture = w->fixture;
    made_certificate *all[] = { &w->root,   &w->other_root, &w->middle,
                                &w->device, &w->expired,    &w->future,
                                &w->self,   &w->self_other, &w->stranger };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        made_deinit(all[i]);
    }
    return fixture_teardown(&fixture);
}

static const dps_enrollment *enroll(world *w, bool group, const char *id, const char *kind,
                                    const made_certificate *first, const made_certificate *second)
{
    char *one = made_text(first);
    char *two = second != NULL ? made_pem(second) : NULL;
    cJSON *body = cJSON_CreateObject();
    dps_error e = { 0 };

    hub_json_add_text(body, group ? "enrollmentGroupId" : "registrationId", id);
    cJSON *attestation = cJSON_AddObjectToObject(body, "attestation");
    hub_json_add_text(attestation, "type", "x509");
    cJSON *list = cJSON_AddObjectToObject(cJSON_AddObjectToObject(attestation, "x509"), kind);
    hub_json_add_text(cJSON_AddObjectToObject(list, "primary"), "certificate", one);
    if (two != NULL) {
        hub_json_add_text(cJSON_AddObjectToObject(list, "secondary"), "certificate", two);
    }
    const dps_enrollment *made =
        dps_put_enrollment(w->fixture->hub.dps, group, id, body, w->fixture->now_ms, &e);
    if (made == NULL) {
        fail_msg("%s", e.text);
    }
    cJSON_Delete(body);
    free(one);
    free(two);
    return made;
}

/* Returns the code of the refusal of a device that shows these certificates; 0: it is admitted. */
static int try(world *w, const char *id, const made_certificate *leaf, const made_certificate *more,
               dps_admission *out)
{
    hub_client_chain chain = { 0 };
    hub_text text = { 0 };
    hub_fault fault;
    dps_error e = { 0 };
    dps_admission admission = { 0 };
    const made_certificate *shown[] = { leaf, more };

    for (size_t i = 0; i < 2; i++) {
        char *one = shown[i] != NULL ? made_text(shown[i]) : NULL;
        hub_text_str(&text, i > 0 && one != NULL ? "," : "");
        hub_text_str(&text, one != NULL ? one : "");
        free(one);
    }
    assert_int_equal(hub_client_chain_read(&chain, text.p, text.len, &fault), HUB_OK);
    char *user =
        hub_format("%s/registrations/%s/api-version=2019-03-31", w->fixture->hub.dps->id_scope, id);
    const hub_credentials c = { .client_id = id, .user_name = user, .chain = &chain };
    dps_session *s = dps_session_new(&c, id, &fault);
    hub_client_chain_free(&chain);
    assert_non_null(s);
    bool ok = dps_admit(w->fixture->hub.dps, s, NOW, &admission, &e);
    assert_int_equal(ok, e.code == 0 || admission.enrollment != NULL);
    if (ok && out != NULL) {
        *out = admission;
    } else {
        dps_admission_free(&admission);
    }
    dps_session_free(s);
    hub_text_free(&text);
    free(user);
    return ok ? 0 : e.code;
}

static void a_device_shows_one_of_the_two_certificates_of_its_enrolment(void **state)
{
    world *w = *state;
    const dps_enrollment *e =
        enroll(w, false, "dev", "clientCertificates", &w->self, &w->self_other);
    dps_admission a;

    assert_int_equal(try(w, "dev", &w->self, NULL, &a), 0);
    assert_ptr_equal(a.enrollment, e);
    assert_null(a.primary_key);
    assert_string_equal(a.primary_thumbprint, e->attestation.certificates[0]->thumbprint256);
    assert_string_equal(a.secondary_thumbprint, e->attestation.certificates[1]->thumbprint256);
    dps_admission_free(&a);
    assert_int_equal(try(w, "DEV", &w->self_other, NULL, NULL), 0);
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 401002);
    assert_int_equal(try(w, "dev", NULL, NULL, NULL), 401002);
}

static void a_path_leads_from_the_device_to_the_authority_of_its_group(void **state)
{
    world *w = *state;
    const dps_enrollment *g = enroll(w, true, "g", "signingCertificates", &w->root, NULL);
    dps_admission a;

    assert_int_equal(try(w, "dev", &w->device, &w->middle, &a), 0);
    assert_ptr_equal(a.enrollment, g);
    assert_non_null(a.primary_thumbprint);
    assert_null(a.secondary_thumbprint);
    dps_admission_free(&a);
    assert_int_equal(try(w, "dev", &w->device, NULL, NULL), 401002); /* no intermediate */
    assert_int_equal(try(w, "dev", &w->expired, &w->middle, NULL), 401002);
    assert_int_equal(try(w, "dev", &w->future, &w->middle, NULL), 401002);
    assert_int_equal(try(w, "dev", &w->stranger, NULL, NULL), 401002);
    assert_int_equal(try(w, "dev", &w->self, NULL, NULL), 401002);
}

static void an_intermediate_authority_may_be_enrolled_instead_of_the_root(void **state)
{
    world *w = *state;

    (void)enroll(w, true, "g", "signingCertificates", &w->other_root, &w->middle);
    assert_int_equal(try(w, "dev", &w->device, NULL, NULL), 0);
    assert_int_equal(try(w, "dev", &w->stranger, NULL, NULL), 0);
    assert_int_equal(try(w, "dev", &w->self, NULL, NULL), 401002);
}

static void one_device_may_be_enrolled_by_its_authority(void **state)
{
    world *w = *state;

    (void)enroll(w, false, "dev", "signingCertificates", &w->root, NULL);
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 0);
    assert_int_equal(try(w, "dev", &w->stranger, NULL, NULL), 401002);
}

static void the_common_name_must_be_the_registration_id(void **state)
{
    world *w = *state;

    (void)enroll(w, true, "g", "signingCertificates", &w->root, NULL);
    (void)enroll(w, false, "dev3", "clientCertificates", &w->self, NULL);
    assert_int_equal(try(w, "Dev", &w->device, &w->middle, NULL), 0);
    assert_int_equal(try(w, "dev2", &w->device, &w->middle, NULL), 401002);
    assert_int_equal(try(w, "dev3", &w->self, NULL, NULL), 401002);
}

static void an_enrolment_may_refer_to_an_authority_of_the_hub_by_its_name(void **state)
{
    world *w = *state;
    hub_registry *r = &w->fixture->hub.registry;
    static const char form[] = "{\"enrollmentGroupId\":\"g\",\"attestation\":{\"type\":\"x509\","
                               "\"x509\":{\"caReferences\":{\"primary\":\"other root\","
                               "\"secondary\":\"root\"}}}}";
    cJSON *body = hub_json_read(form, strlen(form));
    char *root = made_text(&w->root);
    dps_error e;
    hub_fault fault;
    const hub_certificate *added;

    assert_non_null(
        dps_put_enrollment(w->fixture->hub.dps, true, "g", body, w->fixture->now_ms, &e));
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 401002); /* there is no such CA */
    assert_int_equal(hub_authorities_add(&r->authorities, &r->store, root, &added, &fault), HUB_OK);
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 0);
    assert_int_equal(try(w, "dev", &w->stranger, NULL, NULL), 401002);
    fixture_restart(w->fixture);
    dps_fixture_open(w->fixture);
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 0);
    cJSON_Delete(body);
    free(root);
}

static void the_right_one_of_several_groups_is_found(void **state)
{
    world *w = *state;
    dps_admission a;

    (void)dps_fixture_enroll(w->fixture, true, "a", "");
    (void)enroll(w, true, "b", "signingCertificates", &w->root, NULL);
    const dps_enrollment *c = enroll(w, true, "c", "signingCertificates", &w->other_root, NULL);
    assert_int_equal(try(w, "dev", &w->stranger, NULL, &a), 0);
    assert_ptr_equal(a.enrollment, c);
    dps_admission_free(&a);
}

static void a_certificate_does_not_open_an_enrolment_with_keys(void **state)
{
    world *w = *state;

    (void)dps_fixture_enroll(w->fixture, false, "dev", "");
    assert_int_equal(try(w, "dev", &w->self, NULL, NULL), 401000);
    (void)dps_fixture_enroll(w->fixture, true, "g", "");
    assert_int_equal(try(w, "none", &w->self, NULL, NULL), 404201);
}

/* The enrolment is more specific than the group. */
static void an_individual_enrolment_hides_the_groups(void **state)
{
    world *w = *state;

    (void)enroll(w, true, "g", "signingCertificates", &w->root, NULL);
    (void)enroll(w, false, "dev", "clientCertificates", &w->self, NULL);
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 401002);
    assert_int_equal(try(w, "dev", &w->self, NULL, NULL), 0);
}

static char *shown(const world *w, const char *id)
{
    cJSON *json = dps_enrollment_view(dps_find_enrollment(w->fixture->hub.dps, false, id), true);
    char *text = hub_json_print(json);

    cJSON_Delete(json);
    return text;
}

static void certificates_of_enrolments_survive_a_restart(void **state)
{
    world *w = *state;

    (void)enroll(w, true, "g", "signingCertificates", &w->root, &w->other_root);
    (void)enroll(w, false, "dev2", "clientCertificates", &w->self, &w->self_other);
    char *before = shown(w, "dev2");
    fixture_restart(w->fixture);
    dps_fixture_open(w->fixture);
    char *after = shown(w, "dev2");
    assert_string_equal(before, after);
    assert_int_equal(try(w, "dev", &w->device, &w->middle, NULL), 0);
    assert_int_equal(try(w, "dev", &w->stranger, NULL, NULL), 0);
    free(before);
    free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_device_shows_one_of_the_two_certificates_of_its_enrolment),
        TEST(a_path_leads_from_the_device_to_the_authority_of_its_group),
        TEST(an_intermediate_authority_may_be_enrolled_instead_of_the_root),
        TEST(one_device_may_be_enrolled_by_its_authority),
        TEST(the_common_name_must_be_the_registration_id),
        TEST(an_enrolment_may_refer_to_an_authority_of_the_hub_by_its_name),
        TEST(the_right_one_of_several_groups_is_found),
        TEST(a_certificate_does_not_open_an_enrolment_with_keys),
        TEST(an_individual_enrolment_hides_the_groups),
        TEST(certificates_of_enrolments_survive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
