/* Tests what anybody may send to the provisioning service of the emulator: topics, user names,
 * enrolments, certificate requests, and the requests for faults. */

#include <gnutls/x509.h>

#include "base/json.h"
#include "base/members.h"
#include "dps/dps_enrollment.h"
#include "dps/dps_faults.h"
#include "dps/dps_session.h"
#include "dps/dps_topics.h"
#include "fuzz.h"
#include "registry/certificate_request.h"

#define HOST "hub.test"

static void topics(const char *text)
{
    dps_topic t = dps_topic_read(text);

    (void)dps_topic_filter_valid(text);
    FUZZ_CHECK(t.rid == NULL || (t.rid > text && t.rid + t.rid_len <= text + strlen(text)));
    FUZZ_CHECK(t.kind == DPS_TOPIC_UNKNOWN || t.rid_len > 0);
    FUZZ_CHECK(t.kind != DPS_TOPIC_POLL || t.operation_id_len > 0);
    if (t.kind != DPS_TOPIC_UNKNOWN) {
        free(dps_topic_answer(202, &t, 3));
    }
}

/* The text is a user name; the client id is the one that it contains. */
static void login(const char *text)
{
    const char *id = strstr(text, "/registrations/");
    hub_fault fault;

    if (id == NULL) {
        return;
    }
    id += strlen("/registrations/");
    char *client_id = hub_memdup(id, strcspn(id, "/"));
    const hub_credentials c = { .client_id = client_id, .user_name = text, .password = text };
    dps_session *s = dps_session_new(&c, client_id, &fault);
    FUZZ_CHECK(s == NULL || dps_session_wanted(client_id, text));
    FUZZ_CHECK(s == NULL || dps_id_valid(s->registration_id));
    FUZZ_CHECK(s == NULL ||
               !dps_session_signed_by(s, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 0));
    dps_session_free(s);
    free(client_id);
}

/* An enrolment that was accepted is accepted again in the form in which it is saved, with the
 * same meaning. */
static void enrollment(const cJSON *body, bool group)
{
    const char *id = hub_json_string(body, group ? "enrollmentGroupId" : "registrationId");
    const dps_enrollment_request request = { .group = group, .id = id, .host = HOST, .number = 1 };
    dps_error e = { 0 };
    dps_enrollment *first = id != NULL ? dps_enrollment_read(body, &request, &e) : NULL;

    if (first == NULL) {
        FUZZ_CHECK(id == NULL || (e.code == DPS_CODE_ARGUMENT && e.text[0] != '\0'));
        return;
    }
    FUZZ_CHECK(dps_id_valid(first->id));
    cJSON *saved = dps_enrollment_view(first, true);
    cJSON_DeleteItemFromObjectCaseSensitive(saved, "attestation");
    (void)cJSON_AddItemToObject(saved, "attestation", dps_attestation_state(&first->attestation));
    dps_enrollment *second = dps_enrollment_read(saved, &request, &e);
    FUZZ_CHECK(second != NULL);
    second->etag = first->etag;
    cJSON *one = dps_enrollment_view(first, true);
    cJSON *other = dps_enrollment_view(second, true);
    FUZZ_CHECK(hub_members_equal(one, other));
    cJSON *shown = dps_enrollment_view(first, false);
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(shown, "attestation"), "symmetricKey");
    FUZZ_CHECK(keys == NULL || keys->child == NULL);
    cJSON_Delete(one);
    cJSON_Delete(other);
    cJSON_Delete(shown);
    cJSON_Delete(saved);
    dps_enrollment_free(first);
    dps_enrollment_free(second);
}

static void faults(const cJSON *body)
{
    static const dps_fault_words words = { "register", "poll" };
    dps_faults f = { 0 };
    dps_error e = { 0 };

    if (dps_faults_set(&f, body, &words, &e)) {
        FUZZ_CHECK(f.kind != DPS_FAULT_NONE && f.targets != 0);
        FUZZ_CHECK(f.kind != DPS_FAULT_STATUS || (f.code >= 400000 && f.code <= 599999));
    } else {
        FUZZ_CHECK(f.left == 0 && e.code == DPS_CODE_ARGUMENT);
    }
}

static void certificate_request(const char *text)
{
    gnutls_x509_crq_t crq;
    hub_fault fault;

    if (hub_certificate_request_read(&crq, text, "dev", &fault) == HUB_OK) {
        gnutls_x509_crq_deinit(crq);
    } else {
        FUZZ_CHECK(crq == NULL && fault.text[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text((fuzz_input){ data, size });

    hub_json_init();
    cJSON *json = hub_json_read(data, size);
    topics(text);
    login(text);
    certificate_request(text);
    if (json != NULL) {
        enrollment(json, false);
        enrollment(json, true);
        faults(json);
    }
    cJSON_Delete(json);
    free(text);
    return 0;
}
