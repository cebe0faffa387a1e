#ifndef DPS_FAULTS_H
#define DPS_FAULTS_H

/**
 * @file
 * Faults that a test requests: which errors the service makes, and how often.
 */

#include "base/json.h"
#include "dps/dps_error.h"

typedef enum dps_fault_kind {
    DPS_FAULT_NONE = 0,
    DPS_FAULT_STATUS,    /* an error answer with this status and code */
    DPS_FAULT_NONSENSE,  /* an answer that is not JSON */
    DPS_FAULT_HALF,      /* the first half of the right answer */
    DPS_FAULT_SILENCE,   /* no answer */
    DPS_FAULT_CLOSE,     /* the connection is closed */
    DPS_FAULT_FAILED,    /* the registration ends as failed, with this code */
    DPS_FAULT_UNASSIGNED /* the registration ends as unassigned */
} dps_fault_kind;

/** The requests to which a fault applies; the values are bits of a set. */
typedef enum dps_fault_target { DPS_ON_REGISTER = 1, DPS_ON_POLL = 2 } dps_fault_target;

/** Start with { 0 }. */
typedef struct dps_faults {
    dps_fault_kind kind;
    unsigned targets;  /* set of dps_fault_target */
    unsigned left;     /* number of requests to which it still applies */
    int code;          /* code of an error: six digits that begin with the status */
    int retry_after_s; /* less than 0: none */
} dps_faults;

/** The names of the two kinds of requests in the member "on". */
typedef struct dps_fault_words {
    const char *first;  /* the name of DPS_ON_REGISTER */
    const char *second; /* the name of DPS_ON_POLL */
} dps_fault_words;

/**
 * {"count":3,"kind":"status","status":429,"errorCode":429001,"retryAfter":5,"on":one of the words}:
 * all but count and kind have defaults. A refusal changes nothing.
 */
bool dps_faults_set(dps_faults *f, const cJSON *json, const dps_fault_words *words, dps_error *e);
/** Returns the fault for this request and counts it; DPS_FAULT_NONE in most cases. */
dps_fault_kind dps_faults_take(dps_faults *f, dps_fault_target target);

#endif
