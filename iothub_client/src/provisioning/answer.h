#ifndef IOTHUB_PROVISIONING_ANSWER_H
#define IOTHUB_PROVISIONING_ANSWER_H

/**
 * @file
 * Reads the answers of the Device Provisioning Service: makes a checked struct from bytes.
 */

#include "iothub/connection_string.h"
#include "iothub/result.h"
#include "mqtt_core/span.h"

/** The meaning of an answer. */
typedef enum dps_verdict {
    DPS_ASSIGNED = 1, /* hub and device_id are valid */
    DPS_ASSIGNING,    /* the service has not decided yet */
    DPS_BUSY,         /* the same request may succeed later */
    DPS_REFUSED,      /* only a person can correct this */
    DPS_BROKEN        /* the service never gives such an answer */
} dps_verdict;

/** Largest lengths in characters. */
enum { DPS_OPERATION_ID_MAX = 128, DPS_SUBSTATUS_MAX = 31 };

typedef struct dps_answer {
    dps_verdict verdict;
    iothub_error why; /* the reason of BUSY, REFUSED or BROKEN */
    char hub[IOTHUB_HOST_MAX + 1];
    char device_id[IOTHUB_ID_MAX + 1];
    char substatus[DPS_SUBSTATUS_MAX + 1];
    char operation_id[DPS_OPERATION_ID_MAX + 1]; /* "" if the answer has no operation id */
    /* Helps the service's support; a printable part of the body, may be empty. */
    mqc_span tracking_id;
    mqc_span payload; /* JSON, a part of the body; empty if it is missing or null */
    /* The issued chain as JSON, a part of the body, see issued_chain.h; empty if it is missing or
     * null. */
    mqc_span certificates;
} dps_answer;

/** Reads an answer. status is the one in the topic. */
void dps_answer_parse(dps_answer *out, unsigned status, mqc_span body);

/**
 * Returns IOTHUB_OK if a client can connect to this hub with this device id, by the rules of
 * connection strings.
 */
iothub_result dps_assignment_check(const char *hub, const char *device_id, iothub_error *err);

#endif
