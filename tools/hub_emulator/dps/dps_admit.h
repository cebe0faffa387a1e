#ifndef DPS_ADMIT_H
#define DPS_ADMIT_H

/** @file Which enrolment a device belongs to, and whether it has proved that. */

#include "dps/dps.h"

/** A device that may register, and with which keys. Start with { 0 }. */
typedef struct dps_admission {
    const dps_enrollment *enrollment;
    char *primary_key; /* of the device */
    char *secondary_key;
} dps_admission;

/** Judges what a device said about itself. On true, end it with dps_admission_free. */
bool dps_admit(const dps *d, const dps_session *s, int64_t now_s, dps_admission *out, dps_error *e);
void dps_admission_free(dps_admission *a);

#endif
