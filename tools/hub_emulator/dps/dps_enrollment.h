#ifndef DPS_ENROLLMENT_H
#define DPS_ENROLLMENT_H

/**
 * @file
 * An enrolment: a device or a group of devices that may register, and what the hub does with them.
 */

#include <stdint.h>

#include "base/json.h"
#include "dps/dps_attestation.h"
#include "state/store.h"

typedef struct dps_enrollment {
    unsigned number; /* the number in the name of its file */
    bool group;
    char *id; /* the registration id, or the id of the group */
    bool enabled;
    dps_attestation attestation;
    cJSON *settings; /* its other members as the service shows them; they have been checked */
    int64_t etag;
    int64_t created_ms;
    int64_t updated_ms;
} dps_enrollment;

/** What happens to a device that registers again. */
typedef enum dps_reprovision {
    DPS_REPROVISION_MIGRATE = 0, /* its data in the hub stays */
    DPS_REPROVISION_RESET,       /* it starts again with the initial twin */
    DPS_REPROVISION_NEVER        /* nothing changes */
} dps_reprovision;

/** What is needed to make an enrolment from a body. */
typedef struct dps_enrollment_request {
    bool group;
    const char *id;            /* id from the path of the request */
    const char *host;          /* host name of the only hub */
    const dps_enrollment *was; /* the enrolment to be changed; NULL: a new one is made */
    unsigned number;           /* number of a new enrolment */
    int64_t now_ms;
} dps_enrollment_request;

/**
 * Returns whether id has 1 to 128 letters, digits and the characters - . _ : and begins and ends
 * with a letter or digit.
 */
bool dps_id_valid(const char *id);

/** Makes an enrolment from a body; the caller frees it. Returns NULL if the body is refused. */
dps_enrollment *dps_enrollment_read(const cJSON *body, const dps_enrollment_request *request,
                                    dps_error *e);
void dps_enrollment_free(dps_enrollment *e);

/** Returns the enrolment as the service shows it; with_keys adds its symmetric keys. */
cJSON *dps_enrollment_view(const dps_enrollment *e, bool with_keys);
/** Returns the etag in base64, on the heap. */
char *dps_enrollment_etag(const dps_enrollment *e);

dps_reprovision dps_enrollment_reprovision(const dps_enrollment *e);
/** Returns the device id that the enrolment requests; NULL: the registration id is used. */
const char *dps_enrollment_device_id(const dps_enrollment *e);

/** Returns the name of the file, such as enrollment-000001.json, on the heap. */
char *dps_enrollment_file(unsigned number);
hub_result dps_enrollment_save(const dps_enrollment *e, const hub_store *store, hub_fault *fault);
/**
 * Reads a file. HUB_ERR_ARGUMENT means that it is damaged, HUB_ERR_STATE that it cannot be read
 * now.
 */
hub_result dps_enrollment_load(const hub_store *store, unsigned number, const char *host,
                               dps_enrollment **out, hub_fault *fault);

#endif
