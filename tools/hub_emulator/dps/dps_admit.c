#include "dps/dps_admit.h"

#include <stdlib.h>
#include <strings.h>

#include "base/text.h"

/* --- certificates ------------------------------------------------------------- */

static bool check_name(const dps_session *s, dps_error *e)
{
    return strcasecmp(s->chain.items[0]->name, s->registration_id) == 0 ||
           dps_fail(e, DPS_CODE_CERTIFICATE,
                    "Invalid certificate: its common name is not the registration id");
}

static char *thumbprint(const hub_certificate *c)
{
    return c != NULL ? hub_strdup(c->thumbprint256) : NULL;
}

static bool admit_by_certificate(const dps *d, const dps_enrollment *enrollment,
                                 const dps_session *s, int64_t now_s, dps_admission *out,
                                 dps_error *e)
{
    const dps_attestation *a = &enrollment->attestation;
    const bool own = a->type == DPS_X509_CLIENT;
    hub_fault fault;

    if (s->chain.count == 0) {
        return dps_fail(e, DPS_CODE_CERTIFICATE,
                        "Invalid certificate: the enrolment needs one, and the device has shown "
                        "none");
    }
    if (dps_attestation_check_chain(a, &s->chain, d->authorities, now_s, &fault) != HUB_OK) {
        return dps_fail(e, DPS_CODE_CERTIFICATE, "Invalid certificate: %s", fault.text);
    }
    if (!check_name(s, e)) {
        return false;
    }
    *out = (dps_admission){
        .enrollment = enrollment,
        .primary_thumbprint = thumbprint(own ? a->certificates[0] : s->chain.items[0]),
        .secondary_thumbprint = thumbprint(own ? a->certificates[1] : NULL),
    };
    return true;
}

/* If all groups refuse the device, the last refusal is reported; in most cases there is only one
 * group. */
static bool admit_by_authority(const dps *d, const dps_session *s, int64_t now_s,
                               dps_admission *out, dps_error *e)
{
    (void)dps_fail(e, DPS_CODE_NO_ENROLLMENT, "Enrollment not found: %s", s->registration_id);
    for (size_t i = 0; i < d->groups.count; i++) {
        const dps_enrollment *group = d->groups.items[i].value;
        if (dps_attestation_is_x509(&group->attestation) &&
            admit_by_certificate(d, group, s, now_s, out, e)) {
            return true;
        }
    }
    return false;
}

/* --- keys ------------------------------------------------------------------------ */

static bool refuse_key(dps_error *e)
{
    return dps_fail(e, DPS_CODE_KEY,
                    "Unauthorized: the token is not signed with a key of the enrolment, is for "
                    "another device, has another skn than registration, or has expired");
}

static bool admit_individual(const dps *d, const dps_enrollment *enrollment, const dps_session *s,
                             int64_t now_s, dps_admission *out, dps_error *e)
{
    const dps_attestation *a = &enrollment->attestation;

    if (dps_attestation_is_x509(a)) {
        return admit_by_certificate(d, enrollment, s, now_s, out, e);
    }
    if (a->type == DPS_TPM) {
        return dps_fail(e, DPS_CODE_KEY, "Unauthorized: the enrolment needs a TPM");
    }
    if (!dps_session_signed_by(s, a->first, now_s) && !dps_session_signed_by(s, a->second, now_s)) {
        return refuse_key(e);
    }
    *out = (dps_admission){ .enrollment = enrollment,
                            .primary_key = hub_strdup(a->first),
                            .secondary_key = hub_strdup(a->second) };
    return true;
}

static bool admit_member(const dps_enrollment *group, const dps_session *s, int64_t now_s,
                         dps_admission *out)
{
    char *primary = dps_derive_key(group->attestation.first, s->registration_id);
    char *secondary = dps_derive_key(group->attestation.second, s->registration_id);

    if (!dps_session_signed_by(s, primary, now_s) && !dps_session_signed_by(s, secondary, now_s)) {
        free(primary);
        free(secondary);
        return false;
    }
    *out =
        (dps_admission){ .enrollment = group, .primary_key = primary, .secondary_key = secondary };
    return true;
}

static bool admit_by_key(const dps *d, const dps_session *s, int64_t now_s, dps_admission *out,
                         dps_error *e)
{
    bool any = false;

    for (size_t i = 0; i < d->groups.count; i++) {
        const dps_enrollment *group = d->groups.items[i].value;
        if (group->attestation.type != DPS_SYMMETRIC_KEY) {
            continue;
        }
        any = true;
        if (admit_member(group, s, now_s, out)) {
            return true;
        }
    }
    return any ? refuse_key(e)
               : dps_fail(e, DPS_CODE_NO_ENROLLMENT, "Enrollment not found: %s",
                          s->registration_id);
}

bool dps_admit(const dps *d, const dps_session *s, int64_t now_s, dps_admission *out, dps_error *e)
{
    if (strcasecmp(s->id_scope, d->id_scope) != 0) {
        return dps_fail(e, DPS_CODE_KEY, "Unauthorized: the id scope is not that of this service");
    }
    const dps_enrollment *individual = dps_find_enrollment(d, false, s->registration_id);
    if (individual != NULL) {
        return admit_individual(d, individual, s, now_s, out, e);
    }
    return s->chain.count > 0 && !s->has_token ? admit_by_authority(d, s, now_s, out, e)
                                               : admit_by_key(d, s, now_s, out, e);
}

void dps_admission_free(dps_admission *a)
{
    free(a->primary_key);
    free(a->secondary_key);
    free(a->primary_thumbprint);
    free(a->secondary_thumbprint);
    *a = (dps_admission){ 0 };
}
