#include "dps_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

static void restart(hub_fixture *f)
{
    fixture_restart(f);
    dps_fixture_open(f);
}

static void spoil(const hub_fixture *f, const char *name, const char *text)
{
    char *path = hub_format("%s/%s", f->dir, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static dps_registration *record(hub_fixture *f, const dps_enrollment *e, const char *id)
{
    const dps_outcome outcome = { .status = DPS_ASSIGNED,
                                  .substatus = DPS_INITIAL_ASSIGNMENT,
                                  .host = DPS_FIXTURE_HOST,
                                  .device_id = id };
    dps_error error;
    dps_registration *r = dps_record(f->hub.dps, e, id, &outcome, f->now_ms, &error);

    assert_non_null(r);
    return r;
}

/* Prints the JSON and frees it. */
static char *print(cJSON *json)
{
    char *text = hub_json_print(json);

    cJSON_Delete(json);
    return text;
}

static void the_id_scope_is_made_once(void **state)
{
    hub_fixture *f = *state;
    char *first = hub_strdup(f->hub.dps->id_scope);

    assert_int_equal(strlen(first), 11);
    assert_int_equal(strncmp(first, "0ne", 3), 0);
    restart(f);
    assert_string_equal(f->hub.dps->id_scope, first);
    assert_string_equal(f->notices, "");
    free(first);
}

static void a_damaged_id_scope_is_set_aside_and_reported(void **state)
{
    static const char *const texts[] = { "", "{}", "{\"idScope\":\"0ne\"}", "{\"idScope\":7}",
                                         "x" };
    hub_fixture *f = *state;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *before = hub_strdup(f->hub.dps->id_scope);
        f->notices[0] = '\0';
        spoil(f, "dps.json", texts[i]);
        restart(f);
        assert_string_not_equal(f->hub.dps->id_scope, before);
        assert_non_null(strstr(f->notices, "dps.json"));
        assert_non_null(strstr(f->notices, "new id scope"));
        free(before);
    }
}

static void enrolments_and_registrations_survive_a_restart(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *one = dps_fixture_enroll(
        f, false, "one", ",\"initialTwin\":{\"tags\":{\"a\":1}},\"deviceId\":\"d1\"");
    const dps_enrollment *many = dps_fixture_enroll(f, true, "many", "");
    (void)record(f, one, "one");
    (void)record(f, many, "member");
    char *before[] = {
        print(dps_show_enrollment(f->hub.dps, one, true)),
        print(dps_show_enrollment(f->hub.dps, many, true)),
        print(dps_registration_view(dps_find_registration(f->hub.dps, "member"))),
    };

    restart(f);
    one = dps_find_enrollment(f->hub.dps, false, "ONE");
    many = dps_find_enrollment(f->hub.dps, true, "MANY");
    assert_non_null(one);
    assert_non_null(many);
    assert_null(dps_find_enrollment(f->hub.dps, false, "many"));
    char *after[] = {
        print(dps_show_enrollment(f->hub.dps, one, true)),
        print(dps_show_enrollment(f->hub.dps, many, true)),
        print(dps_registration_view(dps_find_registration(f->hub.dps, "member"))),
    };
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(before[i], after[i]);
        free(before[i]);
        free(after[i]);
    }
    assert_string_equal(f->notices, "");
}

static void a_damaged_file_is_set_aside_and_the_others_are_served(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *a = dps_fixture_enroll(f, false, "a", "");
    const dps_enrollment *b = dps_fixture_enroll(f, false, "b", "");
    (void)record(f, a, "a");
    (void)record(f, b, "b");

    spoil(f, "enrollment-000001.json", "{\"registrationId\":\"a\"}");
    spoil(f, "registration-000002.json", "{\"registrationId\":\"b\",\"status\":\"assigned\"}");
    spoil(f, "enrollment-x.json", "not ours");
    restart(f);
    assert_null(dps_find_enrollment(f->hub.dps, false, "a"));
    assert_non_null(dps_find_enrollment(f->hub.dps, false, "b"));
    assert_non_null(dps_find_registration(f->hub.dps, "a"));
    assert_null(dps_find_registration(f->hub.dps, "b"));
    assert_non_null(strstr(f->notices, "enrollment-000001.json"));
    assert_non_null(strstr(f->notices, "registration-000002.json"));

    const dps_enrollment *fresh = dps_fixture_enroll(f, false, "a", "");
    assert_int_equal(fresh->number, 3);
}

static void a_second_file_of_one_id_is_set_aside(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "a", "");
    spoil(f, "enrollment-000009.json",
          "{\"registrationId\":\"A\",\"attestation\":{\"type\":\"symmetricKey\"}}");
    restart(f);
    assert_int_equal(f->hub.dps->individuals.count, 1);
    assert_non_null(strstr(f->notices, "enrollment-000009.json"));
}

static void a_deleted_enrolment_takes_its_registrations_along(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *g = dps_fixture_enroll(f, true, "g", "");
    const dps_enrollment *h = dps_fixture_enroll(f, true, "h", "");
    const dps_enrollment *one = dps_fixture_enroll(f, false, "g", "");
    dps_error e;
    (void)record(f, g, "m1");
    (void)record(f, g, "m2");
    (void)record(f, h, "m3");
    (void)record(f, one, "g");

    assert_true(dps_delete_enrollment(f->hub.dps, g, &e));
    for (int run = 0; run < 2; run++) {
        assert_null(dps_find_enrollment(f->hub.dps, true, "g"));
        assert_null(dps_find_registration(f->hub.dps, "m1"));
        assert_null(dps_find_registration(f->hub.dps, "m2"));
        assert_non_null(dps_find_registration(f->hub.dps, "m3"));
        assert_non_null(dps_find_registration(f->hub.dps, "g"));
        restart(f);
    }
}

static void a_registration_of_another_enrolment_begins_anew(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *g = dps_fixture_enroll(f, true, "g", "");
    dps_registration *first = record(f, g, "dev");
    assert_true(dps_registration_of(first, g));
    unsigned number = first->number;

    const dps_enrollment *one = dps_fixture_enroll(f, false, "dev", "");
    assert_false(dps_registration_of(dps_find_registration(f->hub.dps, "dev"), one));
    f->now_ms += 1000;
    const dps_registration *second = record(f, one, "dev");
    assert_true(dps_registration_of(second, one));
    assert_int_equal(second->number, number);
    assert_int_equal(second->created_ms, f->now_ms);
    assert_int_equal(f->hub.dps->registrations.count, 1);
}

static void settings_are_checked_as_a_whole(void **state)
{
    static const char *const bad[] = {
        "{\"assigning\":3,\"retryAfter\":-1}",
        "{\"assigning\":1001}",
        "{\"assigning\":3,\"connectionProfile\":7}",
        "{\"retryAfter\":\"1\"}",
    };
    hub_fixture *f = *state;
    dps *d = f->hub.dps;
    dps_error e;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cJSON *json = hub_json_read(bad[i], strlen(bad[i]));
        assert_false(dps_set(d, json, &e));
        assert_int_equal(d->assigning, 1);
        assert_int_equal(d->retry_after_s, 3);
        cJSON_Delete(json);
    }
    static const char good[] = "{\"assigning\":0,\"connectionProfile\":\"p\"}";
    cJSON *json = hub_json_read(good, strlen(good));
    assert_true(dps_set(d, json, &e));
    assert_int_equal(d->assigning, 0);
    assert_int_equal(d->retry_after_s, 3);
    assert_string_equal(d->profile, "p");
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DPS_TEST(the_id_scope_is_made_once),
        DPS_TEST(a_damaged_id_scope_is_set_aside_and_reported),
        DPS_TEST(enrolments_and_registrations_survive_a_restart),
        DPS_TEST(a_damaged_file_is_set_aside_and_the_others_are_served),
        DPS_TEST(a_second_file_of_one_id_is_set_aside),
        DPS_TEST(a_deleted_enrolment_takes_its_registrations_along),
        DPS_TEST(a_registration_of_another_enrolment_begins_anew),
        DPS_TEST(settings_are_checked_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
