#ifndef IOTHUB_ISSUE_ANSWER_H
#define IOTHUB_ISSUE_ANSWER_H

/** @file Reads the answers of the hub to a certificate request of a connected device. */

#include "iothub/result.h"
#include "mqtt_core/span.h"

/** Longest request id that is read, without the NUL. */
enum { ISSUE_ID_MAX = 64 };

typedef enum issue_verdict {
    ISSUE_ISSUED = 1,   /* certificates is the array */
    ISSUE_ACCEPTED,     /* the certificate follows later */
    ISSUE_ACTIVE,       /* another request of the device is active: active_id */
    ISSUE_NOT_REPLACED, /* there is no active request that could be replaced */
    ISSUE_BUSY,         /* the same request may be answered later */
    ISSUE_REFUSED,      /* the hub will never grant this request */
    ISSUE_BROKEN        /* the answer cannot be used */
} issue_verdict;

typedef struct issue_answer {
    issue_verdict verdict;
    mqc_span certificates;
    /* Printable ASCII that JSON need not escape; "": the answer does not name it. */
    char active_id[ISSUE_ID_MAX + 1];
    int64_t expires_s;      /* when the active operation ends, since 1970; 0: unknown */
    uint32_t retry_after_s; /* 0: the hub does not ask for a wait */
    iothub_error why;       /* except after ISSUED and ACCEPTED */
} issue_answer;

/** Reads an answer with this status. Any body is allowed. */
void issue_answer_parse(issue_answer *out, int status, mqc_span body);

#endif
