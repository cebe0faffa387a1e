#ifndef DPS_REGISTRATION_H
#define DPS_REGISTRATION_H

/**
 * @file
 * The registration of one device: its result, which is saved, and the operation that leads to it,
 * which is not saved.
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
    const char *host;      /* hub of an assigned device; otherwise NULL */
    const char *device_id; /* id of an assigned device; otherwise NULL */
    dps_error error;       /* error of a failed registration */
    const cJSON *payload;  /* payload for the device, or NULL */
} dps_outcome;

typedef struct dps_registration {
    unsigned number; /* the number in the name of its file */
    char *id;
    unsigned enrollment; /* the number of its enrolment */
    char *group;         /* the id of its group; NULL: an individual enrolment */
    char *host;
    char *device_id;
    dps_status status;
    dps_substatus substatus;
    int error_code;
    char *error_text;
    cJSON *payload; /* payload for the device, or NULL */
    int64_t etag;
    int64_t created_ms;
    int64_t updated_ms;
    char *operation_id;  /* id of the last operation; NULL: there was none in this run */
    unsigned assigning;  /* the number of polls to be answered with "assigning" */
    char *profile;       /* connectionProfile in the answers, or NULL */
    bool x509;           /* the device has registered with a certificate */
    cJSON *certificates; /* the certificates that this operation has issued, or NULL */
} dps_registration;

/** The enrolment of a device. */
typedef struct dps_owner {
    unsigned enrollment; /* its number */
    const char *group;   /* the id of the group; NULL for an individual enrolment */
} dps_owner;

/** Makes a registration without a result. */
dps_registration *dps_registration_new(unsigned number, const char *id, const dps_owner *owner,
                                       int64_t now_ms);
void dps_registration_free(dps_registration *r);

/** Makes a copy with the new result. It is saved before it replaces the old registration. */
dps_registration *dps_registration_next(const dps_registration *r, const dps_outcome *outcome,
                                        int64_t now_ms);

/** What the answers of an operation contain in addition to the result. */
typedef struct dps_operation {
    unsigned assigning;        /* the number of polls with "assigning" */
    const char *profile;       /* connectionProfile, or NULL; copied */
    bool x509;                 /* the device has shown a certificate, and no token */
    const cJSON *certificates; /* the issued chain, or NULL; copied */
} dps_operation;

/** Starts an operation with a new id. */
void dps_registration_begin(dps_registration *r, const dps_operation *operation);
/** Counts a poll. Returns whether it must be answered with "assigning". */
bool dps_registration_assigning(dps_registration *r);
/** Returns whether this is the id of its operation. */
bool dps_registration_has_operation(const dps_registration *r, const char *id, size_t len);

/** Returns the registration as the service shows it. */
cJSON *dps_registration_view(const dps_registration *r);
/** Return the answers to a device during the operation and at its end, on the heap. */
char *dps_registration_assigning_text(const dps_registration *r);
char *dps_registration_final_text(const dps_registration *r);
/** Returns the etag in base64, on the heap. */
char *dps_registration_etag(const dps_registration *r);

/** Returns the name of the file, such as registration-000001.json, on the heap. */
char *dps_registration_file(unsigned number);
hub_result dps_registration_save(const dps_registration *r, const hub_store *store,
                                 hub_fault *fault);
/**
 * Reads a file. HUB_ERR_ARGUMENT means that it is damaged, HUB_ERR_STATE that it cannot be read
 * now.
 */
hub_result dps_registration_load(const hub_store *store, unsigned number, dps_registration **out,
                                 hub_fault *fault);

#endif
