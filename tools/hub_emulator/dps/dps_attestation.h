#ifndef DPS_ATTESTATION_H
#define DPS_ATTESTATION_H

/**
 * @file
 * How the devices of an enrolment prove their identity.
 */

#include "base/json.h"
#include "dps/dps_error.h"
#include "registry/authorities.h"
#include "registry/client_chain.h"

typedef enum dps_attestation_type {
    DPS_SYMMETRIC_KEY = 0,
    DPS_X509_CLIENT,  /* the device has one of these certificates */
    DPS_X509_SIGNING, /* a path leads from the certificate of the device to one of these */
    DPS_X509_CA,      /* a path leads to an authority of the hub with one of these common names */
    DPS_TPM           /* can be managed, but no device can use it over MQTT */
} dps_attestation_type;

/** The number of certificates: a primary and a secondary one. */
#define DPS_CERTIFICATES 2

/** Start with { 0 }. */
typedef struct dps_attestation {
    dps_attestation_type type;
    char *first;  /* the primary key or reference; of a TPM, its endorsement key */
    char *second; /* the secondary key, or reference or NULL; of a TPM, its storage root key or NULL
                   */
    /* Certificates; those that are missing are NULL, at the end. */
    hub_certificate *certificates[DPS_CERTIFICATES];
} dps_attestation;

/**
 * Reads the member "attestation" of an enrolment. was is the attestation before a change, or NULL.
 * Keys that are missing or empty are copied from *was; without it they are made.
 */
bool dps_attestation_read(const cJSON *json, const dps_attestation *was, bool group,
                          dps_attestation *out, dps_error *e);
void dps_attestation_free(dps_attestation *a);

/** Returns whether the attestation has certificates, so that a device needs no token. */
bool dps_attestation_is_x509(const dps_attestation *a);
/**
 * Checks that the certificate of the device is one of those of the attestation, or leads to one of
 * them, and that its dates are valid. Otherwise the result is HUB_ERR_UNAUTHORIZED. authorities are
 * those of the hub.
 */
hub_result dps_attestation_check_chain(const dps_attestation *a, const hub_client_chain *chain,
                                       const hub_authorities *authorities, int64_t now_s,
                                       hub_fault *fault);

/**
 * Returns the attestation as the service shows it: without the keys, which have a request of their
 * own.
 */
cJSON *dps_attestation_view(const dps_attestation *a);
/** Returns the attestation with the keys: the answer to that request. */
cJSON *dps_attestation_full(const dps_attestation *a);
/**
 * Returns the attestation with keys and certificates, so that dps_attestation_read can read it
 * again.
 */
cJSON *dps_attestation_state(const dps_attestation *a);

/**
 * Returns the key of one device of a group, on the heap: base64 of HMAC-SHA256(group key,
 * registration id).
 */
char *dps_derive_key(const char *group_key, const char *registration_id);

#endif
