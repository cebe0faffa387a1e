#ifndef DPS_ERROR_H
#define DPS_ERROR_H

/**
 * @file
 * An error as the Device Provisioning Service reports it, both to devices and over REST: an HTTP
 * status, a number of six digits that begins with the status, and a sentence.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

/** Numbers of errors. The documentation gives only some of them. */
typedef enum dps_code {
    DPS_CODE_ARGUMENT = 400004,
    DPS_CODE_REQUEST = 400040, /* a certificate signing request that is not valid for this device */
    DPS_CODE_ALLOCATION_FAILED = 400207,
    DPS_CODE_KEY = 401000,         /* a token that is not signed with the enrolment's key */
    DPS_CODE_CERTIFICATE = 401002, /* a certificate that the enrolment does not accept */
    DPS_CODE_FORBIDDEN = 403000,
    DPS_CODE_NO_RESOURCE = 404000,
    DPS_CODE_NO_ENROLLMENT = 404201,
    DPS_CODE_NO_REGISTRATION = 404202,
    DPS_CODE_NO_OPERATION = 404205,
    DPS_CODE_METHOD = 405000,
    DPS_CODE_ISSUANCE_ACTIVE = 409005,
    DPS_CODE_EXISTS = 409201,
    DPS_CODE_NO_ISSUANCE = 412001,
    DPS_CODE_ETAG = 412201,
    DPS_CODE_TOO_LARGE = 413000,
    DPS_CODE_THROTTLED = 429001,
    DPS_CODE_SERVER = 500000
} dps_code;

typedef struct dps_error {
    int code; /* a dps_code, or a number that a test requested; 0: no error */
    char text[240];
} dps_error;

/** Fills *e and returns false, so that a refusal is one statement. */
bool dps_fail(dps_error *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Does the same for a failure of the hub's own functions. */
bool dps_fail_by(dps_error *e, const hub_fault *fault);

/** Returns the HTTP status of the error. */
int dps_error_status(const dps_error *e);
/**
 * Returns the error as {"errorCode":..,"trackingId":..,"message":..,"timestampUtc":..}, on the
 * heap.
 */
char *dps_error_text(const dps_error *e, int64_t now_ms);

/** Returns a random UUID in its usual form, on the heap. */
char *dps_uuid(void);

#endif
