#ifndef DPS_ADMIT_H
#define DPS_ADMIT_H

/**
 * @file
 * Finds the enrolment of a device, and checks whether the device has proved that it belongs to it.
 */

#include "dps/dps.h"

/** A device that may register, and its keys. Start with { 0 }. */
typedef struct dps_admission {
    const dps_enrollment *enrollment;
    char *primary_key; /* primary key of the device; NULL: it has certificates */
    char *secondary_key;
    char *primary_thumbprint;   /* SHA-256 of the certificates of the device; NULL: it has keys */
    char *secondary_thumbprint; /* NULL: there is only one thumbprint */
} dps_admission;

/**
 * Checks what a device said about itself. If it returns true, free *out with dps_admission_free.
 */
bool dps_admit(const dps *d, const dps_session *s, int64_t now_s, dps_admission *out, dps_error *e);
void dps_admission_free(dps_admission *a);

#endif
