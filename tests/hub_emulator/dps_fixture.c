#include "dps_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS "$dps/registrations/res/"

void dps_fixture_open(hub_fixture *f)
{
    const dps_settings settings = {
        .host = DPS_FIXTURE_HOST, .assigning = 1, .retry_after_s = 3, .certificate_life_s = 60
    };
    hub_fault fault;

    assert_int_equal(hub_open_dps(&f->hub, &settings, &fault), HUB_OK);
}

int dps_fixture_setup(void **state)
{
    int r = fixture_setup(state);

    if (r == 0) {
        dps_fixture_open(*state);
    }
    return r;
}

const dps_enrollment *dps_fixture_enroll(hub_fixture *f, bool group, const char *id,
                                         const char *members)
{
    char *text = hub_format("{\"%s\":\"%s\",\"attestation\":{\"type\":\"symmetricKey\"}%s}",
                            group ? "enrollmentGroupId" : "registrationId", id, members);
    cJSON *body = hub_json_read(text, strlen(text));
    dps_error e = { 0 };

    assert_non_null(body);
    const dps_enrollment *made = dps_put_enrollment(f->hub.dps, group, id, body, f->now_ms, &e);
    if (made == NULL) {
        fail_msg("%s", e.text);
    }
    cJSON_Delete(body);
    free(text);
    return made;
}

char *dps_fixture_token(const hub_fixture *f, const char *id, const char *signing_key)
{
    char *resource = hub_format("%s/registrations/%s", f->hub.dps->id_scope, id);
    char *token = fixture_token(resource, signing_key, f->now_ms / 1000 + 3600, "registration");

    free(resource);
    return token;
}

void dps_fixture_connect(hub_fixture *f, const void *key, const char *id, const char *token)
{
    char *user = hub_format("%s/registrations/%s/api-version=2019-03-31", f->hub.dps->id_scope, id);
    const hub_credentials c = { .client_id = id, .user_name = user, .password = token };
    hub_fault fault;

    assert_int_equal(hub_client_connect(&f->hub, key, &c, true, &fault), HUB_OK);
    assert_int_equal(hub_client_subscribe(&f->hub, key, RESULTS "#", 1, &fault), HUB_OK);
    free(user);
}

void dps_fixture_connect_enrolled(hub_fixture *f, const void *key, const char *id)
{
    const dps_enrollment *e = dps_find_enrollment(f->hub.dps, false, id);
    char *token = dps_fixture_token(f, id, e->attestation.first);

    dps_fixture_connect(f, key, id, token);
    free(token);
}

static dps_answer take_answer(hub_fixture *f)
{
    dps_answer a = { .retry_after = -1 };

    assert_true(f->sent_count <= 1);
    if (f->sent_count == 1) {
        const sent_publish *p = &f->sent[0];
        const char *retry_after = strstr(p->topic, "&retry-after=");
        assert_int_equal(strncmp(p->topic, RESULTS, strlen(RESULTS)), 0);
        assert_non_null(strstr(p->topic, "/?$rid=7"));
        a.status = atoi(p->topic + strlen(RESULTS));
        a.retry_after = retry_after != NULL ? atoi(retry_after + 13) : -1;
        a.json = hub_json_read(p->payload, p->len);
    }
    fixture_forget_sent(f);
    return a;
}

static dps_answer ask(hub_fixture *f, const void *key, const char *topic, const char *body)
{
    const hub_publish p = { .topic = topic, .payload = body, .len = strlen(body), .qos = 1 };
    hub_fault fault;

    fixture_forget_sent(f);
    assert_int_equal(hub_client_check_publish(&f->hub, key, &p, &fault), HUB_OK);
    assert_int_equal(hub_client_accept_publish(&f->hub, key, &p), HUB_OK);
    hub_send_queued(&f->hub);
    return take_answer(f);
}

dps_answer dps_fixture_register(hub_fixture *f, const void *key, const char *body)
{
    return ask(f, key, "$dps/registrations/PUT/iotdps-register/?$rid=7", body);
}

dps_answer dps_fixture_poll(hub_fixture *f, const void *key, const char *operation)
{
    char *topic = hub_format(
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=7&operationId=%s", operation);
    dps_answer a = ask(f, key, topic, " ");

    free(topic);
    return a;
}

dps_answer dps_fixture_finish(hub_fixture *f, const void *key, const char *body)
{
    dps_answer a = dps_fixture_register(f, key, body);

    while (a.status == 202) {
        char *operation = hub_strdup(dps_member(a.json, "operationId"));
        cJSON_Delete(a.json);
        a = dps_fixture_poll(f, key, operation);
        free(operation);
    }
    return a;
}

const char *dps_member(const cJSON *json, const char *path)
{
    char *copy = hub_strdup(path);
    char *rest = NULL;

    for (char *name = strtok_r(copy, ".", &rest); name != NULL; name = strtok_r(NULL, ".", &rest)) {
        json = cJSON_GetObjectItemCaseSensitive(json, name);
    }
    free(copy);
    return cJSON_IsString(json) ? json->valuestring : "";
}
