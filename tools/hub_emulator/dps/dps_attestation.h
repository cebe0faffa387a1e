#ifndef DPS_ATTESTATION_H
#define DPS_ATTESTATION_H

/**
 * @file How the devices of an enrolment prove who they are.
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
    char *first;  /* the primary key; of a TPM, its endorsement key */
    char *second; /* the secondary key; of a TPM, its storage root key, or NULL */
} dps_attestation;

/**
 * Reads the member "attestation" of an enrolment. Keys that are missing or empty are those of
 * *was, or new ones without it. was: the attestation before a change, or NULL.
 */
bool dps_attestation_read(const cJSON *json, const dps_attestation *was, bool group,
                          dps_attestation *out, dps_error *e);
void dps_attestation_free(dps_attestation *a);

/** As the service shows it: without the keys, which have a request of their own. */
cJSON *dps_attestation_view(const dps_attestation *a);
/** With the keys: the answer to that request, and what is saved. */
cJSON *dps_attestation_full(const dps_attestation *a);

/** base64 of HMAC-SHA256(key, registration id): the key of one device of a group, on the heap. */
char *dps_derive_key(const char *group_key, const char *registration_id);

#endif
