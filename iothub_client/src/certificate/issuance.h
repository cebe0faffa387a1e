#ifndef IOTHUB_ISSUANCE_H
#define IOTHUB_ISSUANCE_H

/**
 * @file
 * What is being done about a certificate: when to request one, when to send the request again, and
 * what an answer means. This part neither sends nor has keys; renewed_certificate.c does that.
 */

#include "certificate/issue_answer.h"
#include "context/deadline.h"
#include "iothub/certificate.h"
#include "iothub/options.h"

/** Length of a request id: 16 random bytes in hex. */
enum { ISSUANCE_ID_LEN = 32 };

typedef enum issuance_step {
    ISSUANCE_WAITS = 0,
    ISSUANCE_BEGINS, /* send a request with a new key and a new id */
    ISSUANCE_REPEATS /* send the same request again */
} issuance_step;

typedef struct issuance {
    iothub_certificate_state state;
    char id[ISSUANCE_ID_LEN + 1];   /* id of the request; "": the next one needs a new key */
    char replace[ISSUE_ID_MAX + 1]; /* the active request that this one replaces; "": none */
    uint32_t generation;            /* generation of the connection that carried the request */
    /* WANTED: when it may be sent. REQUESTED: when it is sent again. ACCEPTED: when the operation
     * ends. Otherwise IOTHUB_NEVER. */
    mqc_time due;
    uint32_t failures; /* number of failures in a row */
    int status;        /* status of the latest answer; 0: none */
    iothub_error fault;
} issuance;

void issuance_init(issuance *i);

/** Requests a certificate, at that time at the earliest. Does nothing if a request is on its way.
 */
void issuance_want(issuance *i, mqc_time when);
/** Forgets the request: its key is used no more. */
void issuance_drop(issuance *i, mqc_time now);

/**
 * Returns what to send now. listens means that the hub has confirmed the subscription to its
 * answers on the connection with this generation.
 */
issuance_step issuance_turn(issuance *i, bool listens, uint32_t generation, mqc_time now);
/** Call it before a request with a new key: makes its id. */
void issuance_begin(issuance *i, const uint8_t random[ISSUANCE_ID_LEN / 2]);
/** Call it when the request was queued for sending. */
void issuance_sent(issuance *i, const iothub_options *o, uint32_t generation, mqc_time now);

/** Returns true if an answer belongs to the request. */
bool issuance_is_mine(const issuance *i, mqc_span id);
/**
 * Handles an answer that belongs to the request. now_s is the wall clock, or 0 if it is not set.
 * Returns true if the certificates of the answer must be taken: call issuance_issued or
 * issuance_failed then.
 */
bool issuance_on_answer(issuance *i, const iothub_options *o, int status,
                        const issue_answer *answer, int64_t now_s, mqc_time now);

/** The new certificate can be used; the client changes to it. */
void issuance_issued(issuance *i);
/** The new certificate has logged in. */
void issuance_succeeded(issuance *i);
/** The key, its request or its certificate cannot be used; another key is tried after a long wait.
 */
void issuance_failed(issuance *i, const iothub_options *o, const iothub_error *why, mqc_time now);

/** Returns when issuance_turn has something to do, except for a change of the connection. */
static inline mqc_time issuance_deadline(const issuance *i, bool listens)
{
    return listens || i->state == IOTHUB_CERTIFICATE_ACCEPTED ? i->due : IOTHUB_NEVER;
}

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool issuance_valid(const issuance *i);

#endif
