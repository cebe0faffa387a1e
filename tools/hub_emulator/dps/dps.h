#ifndef DPS_H
#define DPS_H

/**
 * @file
 * The Device Provisioning Service: its enrolments and registrations, and their files. It does not
 * know the broker, nor the hub, which carries out its assignments. Every change is written to disk
 * before the memory is changed and before the call returns.
 */

#include "dps/dps_enrollment.h"
#include "dps/dps_faults.h"
#include "dps/dps_registration.h"
#include "dps/dps_session.h"
#include "dps/dps_table.h"
#include "registry/issuances.h"
#include "registry/issuer.h"

typedef struct dps_settings {
    const char *host;           /* host name of the hub to which it assigns devices */
    unsigned assigning;         /* number of answers "assigning" before a device is assigned */
    int retry_after_s;          /* seconds that the device shall wait after each of these answers */
    int64_t certificate_life_s; /* life of the certificates that it issues */
} dps_settings;

#define DPS_ASSIGNING_DEFAULT     1
#define DPS_ASSIGNING_MAX         1000
#define DPS_RETRY_AFTER_DEFAULT_S 1
#define DPS_RETRY_AFTER_MAX_S     86400

/** The service documents 1 to 90 days; shorter lives are for tests. */
#define DPS_CERTIFICATE_LIFE_DEFAULT_S 2592000
#define DPS_CERTIFICATE_LIFE_MAX_S     7776000

typedef struct dps {
    const hub_store *store;
    const hub_authorities *authorities; /* authorities of the hub, to which enrolments may refer */
    char *id_scope;
    char *host;    /* host name of the only hub */
    char *profile; /* connectionProfile in the answers; NULL: none */
    dps_table individuals;
    dps_table groups;
    dps_table registrations;
    unsigned last_enrollment;   /* the highest number in the name of a file */
    unsigned last_registration; /* does the same for registrations */
    unsigned assigning;
    int retry_after_s;
    dps_faults faults;
    hub_issuer issuer;
    int64_t certificate_life_s;
    bool pem; /* true: certificates are written as PEM; false: as DER in base64 */

    /* The requests of connected devices. */
    hub_issuances issuances;
    dps_faults issue_faults;
    int64_t issue_delay_s;   /* time from a request to its answer */
    int64_t issue_expires_s; /* how long an answer waits for a device that is not connected */
} dps;

/**
 * Reads the directory; a new one gets an id scope. Damaged files are set aside and reported. The
 * store must exist as long as the service; the settings are copied.
 */
hub_result dps_open(dps *d, const hub_registry *registry, const dps_settings *settings,
                    int64_t now_ms, hub_fault *fault);
void dps_close(dps *d);

/**
 * {"assigning":2,"retryAfter":3,"connectionProfile":"text","certificateLife":60,
 * "certificateEncoding":"der" or "pem","issueDelay":5,"issueExpires":60}, all optional. A refusal
 * changes nothing.
 */
bool dps_set(dps *d, const cJSON *json, dps_error *e);

/* Enrolments. */

const dps_enrollment *dps_find_enrollment(const dps *d, bool group, const char *id);
/** Creates an enrolment or replaces it. Returns NULL if it is refused, and then changes nothing. */
const dps_enrollment *dps_put_enrollment(dps *d, bool group, const char *id, const cJSON *body,
                                         int64_t now_ms, dps_error *e);
/** Deletes an enrolment and its registrations. The devices stay in the hub. */
bool dps_delete_enrollment(dps *d, const dps_enrollment *enrollment, dps_error *e);
/**
 * Returns the enrolment as the service shows it, with the registration of an individual enrolment.
 */
cJSON *dps_show_enrollment(const dps *d, const dps_enrollment *enrollment, bool with_keys);

/* Registrations. */

dps_registration *dps_find_registration(const dps *d, const char *id);
/** Returns whether the registration belongs to the enrolment. */
bool dps_registration_of(const dps_registration *r, const dps_enrollment *enrollment);
/**
 * Saves the result of an attempt to register, and frees the earlier registration with this id.
 * enrollment is that of the device. Returns NULL if the result cannot be saved; then nothing has
 * changed.
 */
dps_registration *dps_record(dps *d, const dps_enrollment *enrollment, const char *id,
                             const dps_outcome *outcome, int64_t now_ms, dps_error *e);
bool dps_delete_registration(dps *d, const dps_registration *r, dps_error *e);

#endif
