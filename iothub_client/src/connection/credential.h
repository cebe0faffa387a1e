#ifndef IOTHUB_CREDENTIAL_PART_H
#define IOTHUB_CREDENTIAL_PART_H

/** @file User name and password of a login, and how long they are valid. */

#include "connection/credential_type.h"
#include "context/deadline.h"

/** A token is used for 80 % of its life: this many ms of each second. */
enum { CREDENTIAL_USE_MS_PER_S = 800 };

typedef struct credential_part {
    iothub_context *context;
    const iothub_credential *list; /* the credentials in the order in which they are tried */
    /* The following members describe the credential in use, unless it is a key. */
    int64_t expiry_s;       /* expiry by the wall clock; INT64_MAX: never */
    mqc_time notice_at;     /* when the application is notified of its expiry */
    int64_t notice_clock_s; /* value of wall_clock_offset_s when notice_at was computed */
    uint32_t token_cap;     /* size of the memory for a ready-made token */
    uint8_t count;          /* number of credentials in the list */
    uint8_t index;          /* index of the credential in use */
    bool replaced;          /* the token was replaced since the last CONNECT */
} credential_part;

/** The most memory that a login needs. */
typedef struct credential_size {
    size_t connect; /* length of CONNECT; the token of a connection string is added */
    size_t scratch;
} credential_size;

void credential_init(credential_part *k, iothub_context *context);
/** Takes the credentials of the options or, without any, that of the connection string. */
void credential_take_options(credential_part *k);
credential_size credential_measure(const credential_part *k);
/** Sets the memory for ready-made tokens. */
void credential_set_memory(credential_part *k, char *token, size_t cap);
/**
 * Refuses credentials that this client can never log in with. Otherwise the first credential is
 * used.
 */
iothub_result credential_check_list(credential_part *k, iothub_error *error);
/**
 * Compares a ready-made token with the identity, stores it, and sets the time of the notice of its
 * expiry.
 */
iothub_result credential_take_token(credential_part *k, mqc_span signature, iothub_error *error);
/** Does the same for a token that replaces another one. */
iothub_result credential_replace_token(credential_part *k, const char *signature);

/**
 * Returns IOTHUB_OK if a login is possible now: the clock is set, and the credential has not
 * expired.
 */
iothub_result credential_ready(const credential_part *k, iothub_error *error);
/** Queues CONNECT. For reports_flow see mqc_connect_options. */
iothub_result credential_log_in(credential_part *k, bool reports_flow, mqc_time now,
                                iothub_error *error);
/**
 * Returns how long a token made by the client is used, in ms. IOTHUB_NEVER means that there is no
 * key.
 */
uint64_t credential_use_ms(const credential_part *k);
/** Returns how many ms the token may be used beyond that time if it cannot be renewed. */
uint64_t credential_reserve_ms(const credential_part *k);

/** Returns the credential in use. */
static inline const iothub_credential *credential_in_use(const credential_part *k)
{
    return &k->list[k->index];
}

static inline bool credential_has_key(const credential_part *k)
{
    return credential_in_use(k)->kind == IOTHUB_CREDENTIAL_KEY;
}

/** Notifies the application if its ready-made token expires soon. */
void credential_on_time(credential_part *k, mqc_time now);
static inline mqc_time credential_deadline(const credential_part *k)
{
    return k->notice_at;
}

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool credential_valid(const credential_part *k);

#endif
