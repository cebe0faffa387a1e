#include "provisioning/refusal.h"

#include <stddef.h>

#include "text/text_writer.h"

typedef struct meaning {
    uint32_t code; /* six digits, or three digits that stand for all codes that begin with them */
    iothub_result result;
    const char *text;
} meaning;

/* The sources are "Troubleshooting with Azure IoT Hub Device Provisioning Service" and answers
 * that users of the service have published. The first line that matches is used. */
static const meaning meanings[] = {
    { 400004, IOTHUB_ERR_REJECTED,
      "the request is not valid: check api_version, the payload and whether the registration id "
      "is that of the enrolment" },
    { 400207, IOTHUB_ERR_REJECTED,
      "the custom allocation function failed or returned no linked hub: check its log, and that it "
      "accepts the payload" },
    { 400, IOTHUB_ERR_REJECTED, "the request is not valid: check api_version and the payload" },
    { 401000, IOTHUB_ERR_AUTH,
      "the key is not that of the enrolment; a device of a group needs a key derived from the "
      "group key (iothub derive-key)" },
    { 401002, IOTHUB_ERR_AUTH,
      "the credential is not that of the enrolment; with X.509 send the intermediates, and verify "
      "the CA in the service" },
    { 401, IOTHUB_ERR_AUTH,
      "the credential was refused; check the key or certificate of the enrolment, and the clock" },
    { 403, IOTHUB_ERR_REJECTED,
      "the registration is not allowed; check whether the enrolment is enabled" },
    { 404, IOTHUB_ERR_REJECTED,
      "there is no enrolment for this registration id in this id scope; make one, or correct "
      "them" },
    { 405, IOTHUB_ERR_REJECTED, "the request is unknown to this api_version; check that option" },
    { 408, IOTHUB_ERR_UNAVAILABLE, "the service did not finish in time; it is asked again" },
    { 409, IOTHUB_ERR_REJECTED,
      "the request contradicts the state of the service; check its enrolments and linked hubs" },
    { 429, IOTHUB_ERR_UNAVAILABLE, "the service throttles; it is asked again later" },
    { 500, IOTHUB_ERR_UNAVAILABLE, "the service has an internal error; it is asked again later" },
    { 503, IOTHUB_ERR_UNAVAILABLE, "the service is not available; it is asked again later" },
};

bool refusal_may_pass(unsigned status)
{
    return status == 408 || status == 429 || (status >= 500 && status < 600);
}

/* Finds the meaning of a code. class has its first three digits. */
static const meaning *find(uint64_t code, uint64_t class)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].code == code || meanings[i].code == class) {
            return &meanings[i];
        }
    }
    return NULL;
}

iothub_result refusal_of_code(unsigned status, uint64_t code, iothub_error *why)
{
    static const meaning passes = { 0, IOTHUB_ERR_UNAVAILABLE,
                                    "the service failed; it is asked again later" };
    static const meaning other = { 0, IOTHUB_ERR_REJECTED,
                                   "the service refused the registration for a reason that this "
                                   "version does not know" };
    const uint64_t shown = code != 0 && code < 1000000 ? code : status;
    const meaning *m = find(code, code != 0 ? code / 1000 : status);

    if (m == NULL) {
        m = refusal_may_pass(status) ? &passes : &other;
    }
    return iothub_fail(why, m->result, "DPS error %zu: %s", (size_t)shown, m->text);
}
