#include "provisioning/answer.h"

#include <stdbool.h>
#include <string.h>

#include "iothub/json.h"
#include "provisioning/refusal.h"
#include "text/json_path.h"
#include "text/text_writer.h"

/* --- names of the assignment ------------------------------------------------------------ */

iothub_result dps_assignment_check(const char *hub, const char *device_id, iothub_error *err)
{
    char text[sizeof "HostName=;DeviceId=;SharedAccessKey=AAAA" + IOTHUB_HOST_MAX + IOTHUB_ID_MAX];
    iothub_connection_string cs;
    iothub_text t;

    iothub_text_init(&t, text, sizeof text);
    iothub_text_put(&t, "HostName=");
    iothub_text_put(&t, hub);
    iothub_text_put(&t, ";DeviceId=");
    iothub_text_put(&t, device_id);
    iothub_text_put(&t, ";SharedAccessKey=AAAA");
    if (iothub_text_finish(&t) != IOTHUB_OK ||
        iothub_connection_string_parse(&cs, text, NULL) != IOTHUB_OK ||
        iothub_connection_string_check_mqtt(&cs, NULL) != IOTHUB_OK ||
        cs.host_name.len != strlen(hub) || cs.device_id.len != strlen(device_id)) {
        return iothub_fail(err, IOTHUB_ERR_PROTOCOL,
                           "DPS: assignedHub or deviceId of the answer cannot be used for MQTT");
    }
    return IOTHUB_OK;
}

/* --- members of the body ------------------------------------------------------------------ */

static bool find(mqc_span body, const char *first, const char *second, mqc_span *value)
{
    const char *const keys[] = { first, second };

    return iothub_json_find(body, keys, second != NULL ? 2 : 1, value);
}

/* Copies a string member. A member that is missing or null counts as the empty text. Returns
 * false if it is not a string, is too long or contains a NUL. */
static bool get_text(mqc_span body, const char *first, const char *second, char *out, size_t cap)
{
    mqc_span value;
    size_t len;

    out[0] = '\0';
    if (!find(body, first, second, &value) || iothub_json_kind_of(value) == IOTHUB_JSON_NULL) {
        return true;
    }
    if (iothub_json_get_string(value, out, cap, &len) != IOTHUB_OK || strlen(out) != len) {
        out[0] = '\0';
        return false;
    }
    return true;
}

static uint64_t get_code(mqc_span body, const char *first, const char *second)
{
    mqc_span value;
    uint64_t code;

    return find(body, first, second, &value) && iothub_json_u64(value, &code) ? code : 0;
}

/* Returns the text between the quotes. It is only logged, so escapes are not decoded. */
static mqc_span get_tracking_id(mqc_span body)
{
    mqc_span value;

    if (!find(body, "trackingId", NULL, &value) ||
        iothub_json_kind_of(value) != IOTHUB_JSON_STRING) {
        return mqc_span_of(NULL, 0);
    }
    return mqc_span_of(value.ptr + 1, value.len - 2);
}

/* --- verdicts --------------------------------------------------------------------------------- */

static void broken(dps_answer *out, const char *text)
{
    out->verdict = DPS_BROKEN;
    (void)iothub_fail(&out->why, IOTHUB_ERR_PROTOCOL, "DPS: %s", text);
}

static void refused(dps_answer *out, const char *text)
{
    out->verdict = DPS_REFUSED;
    (void)iothub_fail(&out->why, IOTHUB_ERR_REJECTED, "DPS: %s", text);
}

/* Reads an error, which is the whole answer or the end of an operation. */
static void by_code(dps_answer *out, unsigned status, uint64_t code)
{
    out->verdict = refusal_may_pass(status) ? DPS_BUSY : DPS_REFUSED;
    (void)refusal_of_code(status, code, &out->why);
}

/* Another profile means that the hub speaks another protocol, which the client must not guess. */
static bool check_profile(mqc_span body, dps_answer *out)
{
    char profile[32];

    bool read = get_text(body, "registrationState", "connectionProfile", profile, sizeof profile);
    if (read && (profile[0] == '\0' || strcmp(profile, "classic") == 0)) {
        return true;
    }
    out->verdict = DPS_REFUSED;
    (void)iothub_fail(&out->why, IOTHUB_ERR_UNSUPPORTED,
                      "DPS: the assigned hub has the connection profile \"%s\", which this version "
                      "does not speak; assign a classic hub",
                      read ? profile : "?");
    return false;
}

/* Returns a member of registrationState; it is empty if it is missing or null. */
static mqc_span get_json(mqc_span body, const char *name)
{
    mqc_span value;

    return find(body, "registrationState", name, &value) &&
                   iothub_json_kind_of(value) != IOTHUB_JSON_NULL
               ? value
               : mqc_span_of(NULL, 0);
}

static void assigned(mqc_span body, dps_answer *out)
{
    if (!check_profile(body, out)) {
        return;
    }
    if (!get_text(body, "registrationState", "assignedHub", out->hub, sizeof out->hub) ||
        !get_text(body, "registrationState", "deviceId", out->device_id, sizeof out->device_id) ||
        !get_text(body, "registrationState", "substatus", out->substatus, sizeof out->substatus)) {
        broken(out, "a member of registrationState is not a text, or is too long");
        return;
    }
    if (dps_assignment_check(out->hub, out->device_id, &out->why) != IOTHUB_OK) {
        out->verdict = DPS_BROKEN;
        return;
    }
    out->payload = get_json(body, "payload");
    out->certificates = get_json(body, "issuedCertificateChain");
    out->verdict = DPS_ASSIGNED;
}

static void failed(mqc_span body, dps_answer *out)
{
    const uint64_t code = get_code(body, "registrationState", "errorCode");

    if (code >= 100000 && code <= 999999) {
        by_code(out, (unsigned)(code / 1000), code);
        return;
    }
    refused(out, "the registration failed; the portal shows the reason at the enrolment");
}

/* The final answer has status 200. Before it, "unassigned" means that nothing is decided yet. */
static void by_state(mqc_span body, const char *state, unsigned status, dps_answer *out)
{
    if (strcmp(state, "assigned") == 0) {
        assigned(body, out);
    } else if (strcmp(state, "assigning") == 0 || (state[0] == '\0' && status == 202) ||
               (strcmp(state, "unassigned") == 0 && status == 202)) {
        out->verdict = DPS_ASSIGNING;
    } else if (strcmp(state, "unassigned") == 0) {
        refused(out,
                "no hub was assigned; link a hub to the service, and allow it in the enrolment");
    } else if (strcmp(state, "failed") == 0) {
        failed(body, out);
    } else if (strcmp(state, "disabled") == 0) {
        refused(out, "the enrolment is disabled; enable it, or remove the device");
    } else {
        broken(out, "the answer has no status, or an unknown one");
    }
}

static void succeeded(mqc_span body, unsigned status, dps_answer *out)
{
    char state[16];

    if (!get_text(body, "operationId", NULL, out->operation_id, sizeof out->operation_id)) {
        broken(out, "operationId is not a text, or is too long");
        return;
    }
    if (!get_text(body, "status", NULL, state, sizeof state)) {
        broken(out, "the status of the answer is unknown");
        return;
    }
    if (state[0] == '\0' && !get_text(body, "registrationState", "status", state, sizeof state)) {
        broken(out, "the status of the answer is unknown");
        return;
    }
    by_state(body, state, status, out);
}

static bool is_object(mqc_span body)
{
    return iothub_json_kind_of(body) == IOTHUB_JSON_OBJECT &&
           iothub_json_check(body, NULL) == IOTHUB_OK;
}

void dps_answer_parse(dps_answer *out, unsigned status, mqc_span body)
{
    const bool readable = is_object(body);

    memset(out, 0, sizeof *out);
    if (status >= 200 && status < 300) {
        if (readable) {
            succeeded(body, status, out);
        } else {
            broken(out, "the answer is not a JSON object");
        }
        return;
    }
    if (readable) {
        out->tracking_id = get_tracking_id(body);
    }
    by_code(out, status, readable ? get_code(body, "errorCode", NULL) : 0);
}
