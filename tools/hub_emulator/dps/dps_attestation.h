#ifndef DPS_ATTESTATION_H
#define DPS_ATTESTATION_H

/**
 * @file
 * How the devices of an enrolment prove their identity.
 */

#include "base/json.h"
#include "dps/dps_error.h"

typedef enum dps_attestation_type {
    DPS_SYMMETRIC_KEY = 0,
    DPS_TPM /* can be managed, but no device can use it over MQTT */
} dps_attestation_type;

/** Start with { 0 }. */
typedef struct dps_attestation {
    dps_attestation_type type;
    char *first;  /* the primary key; with a TPM its endorsement key */
    char *second; /* the secondary key; with a TPM its storage root key, or NULL */
} dps_attestation;

/**
 * Reads the member "attestation" of an enrolment. was is the attestation before a change, or NULL.
 * Keys that are missing or empty are copied from *was; without it they are made.
 */
bool dps_attestation_read(const cJSON *json, const dps_attestation *was, bool group,
                          dps_attestation *out, dps_error *e);
void dps_attestation_free(dps_attestation *a);

/**
 * Returns the attestation as the service shows it: without the keys, for which there is a separate
 * request.
 */
cJSON *dps_attestation_view(const dps_attestation *a);
/** Returns the attestation with its keys, for that request and for the file. */
cJSON *dps_attestation_full(const dps_attestation *a);

/**
 * Returns the key of one device of a group, on the heap: base64 of HMAC-SHA256(group key,
 * registration id).
 */
char *dps_derive_key(const char *group_key, const char *registration_id);

#endif
