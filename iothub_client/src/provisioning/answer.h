#ifndef IOTHUB_PROVISIONING_ANSWER_H
#define IOTHUB_PROVISIONING_ANSWER_H

/** @file Reads the answers of the Device Provisioning Service: bytes in, a checked struct out. */

#include "iothub/connection_string.h"
#include "iothub/result.h"
#include "mqtt_core/span.h"

/** What an answer says. */
typedef enum dps_verdict {
    DPS_ASSIGNED = 1, /* hub and device_id are valid */
    DPS_ASSIGNING,    /* the service has not decided yet */
    DPS_BUSY,         /* the same request may succeed later */
    DPS_REFUSED,      /* only a person can change that */
    DPS_BROKEN        /* not an answer that the service gives */
} dps_verdict;

/** Largest operation id in characters. */
enum { DPS_OPERATION_ID_MAX = 128, DPS_SUBSTATUS_MAX = 31 };

typedef struct dps_answer {
    dps_verdict verdict;
    iothub_error why; /* of BUSY, REFUSED and BROKEN */
    char hub[IOTHUB_HOST_MAX + 1];
    char device_id[IOTHUB_ID_MAX + 1];
    char substatus[DPS_SUBSTATUS_MAX + 1];
    char operation_id[DPS_OPERATION_ID_MAX + 1]; /* "": the answer has none */
    mqc_span tracking_id; /* for support: points into the body, printable; may be empty */
    mqc_span payload;     /* JSON, points into the body; empty: none, or null */
} dps_answer;

/** status: of the topic. */
void dps_answer_parse(dps_answer *out, unsigned status, mqc_span body);

/**
 * IOTHUB_OK if a client can connect to this hub with this device id; the rules are those of
 * connection strings.
 */
iothub_result dps_assignment_check(const char *hub, const char *device_id, iothub_error *err);

#endif
