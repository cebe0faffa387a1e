#ifndef DPS_ENROLLMENT_H
#define DPS_ENROLLMENT_H

/**
 * @file An enrolment: one device, or a group of devices, that may register, and what becomes of
 * them in the hub.
 */

#include <stdint.h>

#include "base/json.h"
#include "dps/dps_attestation.h"
#include "state/store.h"

typedef struct dps_enrollment {
    unsigned number; /* in the name of its file */
    bool group;
    char *id; /* the registration id, or the id of the group */
    bool enabled;
    dps_attestation attestation;
    cJSON *settings; /* its other members, checked, as the service shows them */
    int64_t etag;
    int64_t created_ms;
    int64_t updated_ms;
} dps_enrollment;

/** What becomes of a device that registers again. */
typedef enum dps_reprovision {
    DPS_REPROVISION_MIGRATE = 0, /* its data in the hub stays */
    DPS_REPROVISION_RESET,       /* it starts again with the initial twin */
    DPS_REPROVISION_NEVER        /* nothing changes */
} dps_reprovision;

/** How a body becomes an enrolment. */
typedef struct dps_enrollment_request {
    bool group;
    const char *id;            /* from the path of the request */
    const char *host;          /* the only hub that exists */
    const dps_enrollment *was; /* the one to be changed; NULL: a new one */
    unsigned number;           /* of a new one */
    int64_t now_ms;
} dps_enrollment_request;

/** 1 to 128 letters, digits and - . _ :, the first and the last a letter or digit. */
bool dps_id_valid(const char *id);

/** NULL after a refusal. The caller frees the enrolment. */
dps_enrollment *dps_enrollment_read(const cJSON *body, const dps_enrollment_request *request,
                                    dps_error *e);
void dps_enrollment_free(dps_enrollment *e);

/** As the service shows it; with_keys: with its symmetric keys. */
cJSON *dps_enrollment_view(const dps_enrollment *e, bool with_keys);
/** In base64, on the heap. */
char *dps_enrollment_etag(const dps_enrollment *e);

dps_reprovision dps_enrollment_reprovision(const dps_enrollment *e);
/** The device id that the enrolment wants; NULL: the registration id. */
const char *dps_enrollment_device_id(const dps_enrollment *e);

/** enrollment-000001.json, on the heap. */
char *dps_enrollment_file(unsigned number);
hub_result dps_enrollment_save(const dps_enrollment *e, const hub_store *store, hub_fault *fault);
/** HUB_ERR_ARGUMENT: it is damaged; HUB_ERR_STATE: it cannot be read now. */
hub_result dps_enrollment_load(const hub_store *store, unsigned number, const char *host,
                               dps_enrollment **out, hub_fault *fault);

#endif
