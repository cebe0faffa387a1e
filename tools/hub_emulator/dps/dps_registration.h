#ifndef DPS_REGISTRATION_H
#define DPS_REGISTRATION_H

/**
 * @file The registration of one device: the result, which is saved, and the operation that leads
 * to it, which is not.
 */

#include <stdint.h>

#include "base/json.h"
#include "dps/dps_error.h"
#include "state/store.h"

typedef enum dps_status { DPS_UNASSIGNED = 0, DPS_ASSIGNED, DPS_FAILED, DPS_DISABLED } dps_status;

typedef enum dps_substatus {
    DPS_SUBSTATUS_NONE = 0,
    DPS_INITIAL_ASSIGNMENT,
    DPS_DATA_MIGRATED,
    DPS_DATA_RESET
} dps_substatus;

/** How an attempt to register ended. The texts are copied. */
typedef struct dps_outcome {
    dps_status status;
    dps_substatus substatus;
    const char *host;      /* of an assigned device; otherwise NULL */
    const char *device_id; /* of an assigned device; otherwise NULL */
    dps_error error;       /* of a failed one */
    const cJSON *payload;  /* for the device, or NULL */
} dps_outcome;

typedef struct dps_registration {
    unsigned number; /* in the name of its file */
    char *id;
    char *group; /* the id of its group; NULL: an individual enrolment */
    char *host;
    char *device_id;
    dps_status status;
    dps_substatus substatus;
    int error_code;
    char *error_text;
    cJSON *payload; /* or NULL */
    int64_t etag;
    int64_t created_ms;
    int64_t updated_ms;
    char *operation_id; /* of the last attempt; NULL: none in this run */
    unsigned assigning; /* the number of polls to be answered with "assigning" */
    char *profile;      /* connectionProfile in the answers, or NULL */
} dps_registration;

/** Without a result. group: NULL for an individual enrolment. */
dps_registration *dps_registration_new(unsigned number, const char *id, const char *group,
                                       int64_t now_ms);
void dps_registration_free(dps_registration *r);

/** A copy with the new result, to be saved before it takes the place of the old one. */
dps_registration *dps_registration_next(const dps_registration *r, const dps_outcome *outcome,
                                        int64_t now_ms);

/** Starts an operation: a new id, and that many polls with "assigning". */
void dps_registration_begin(dps_registration *r, unsigned assigning, const char *profile);
/** Counts a poll; true if it is to be answered with "assigning". */
bool dps_registration_assigning(dps_registration *r);
/** True if this is the id of its operation. */
bool dps_registration_has_operation(const dps_registration *r, const char *id, size_t len);

/** As the service shows it. */
cJSON *dps_registration_view(const dps_registration *r);
/** The answers to a device while the operation goes on and at its end; on the heap. */
char *dps_registration_assigning_text(const dps_registration *r);
char *dps_registration_final_text(const dps_registration *r);
/** In base64, on the heap. */
char *dps_registration_etag(const dps_registration *r);

/** registration-000001.json, on the heap. */
char *dps_registration_file(unsigned number);
hub_result dps_registration_save(const dps_registration *r, const hub_store *store,
                                 hub_fault *fault);
/** HUB_ERR_ARGUMENT: it is damaged; HUB_ERR_STATE: it cannot be read now. */
hub_result dps_registration_load(const hub_store *store, unsigned number, dps_registration **out,
                                 hub_fault *fault);

#endif
