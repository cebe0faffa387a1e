#ifndef IOTHUB_CREDENTIAL_H
#define IOTHUB_CREDENTIAL_H

/** @file User name and token of a login, and how long they are valid. */

#include "context/context.h"
#include "context/deadline.h"

/** A token is used for 80 % of its life: this many ms of each second. */
enum { CREDENTIAL_USE_MS_PER_S = 800 };

typedef struct iothub_credential {
    iothub_context *context;
    /* The state of a ready-made token; without one, the client has a key. */
    char *token;
    int64_t expiry_s;       /* of the wall clock */
    mqc_time notice_at;     /* when the application is notified of its expiry */
    int64_t notice_clock_s; /* wall_clock_offset_s when that was computed */
    uint32_t token_cap;
    bool replaced; /* since the last CONNECT */
} iothub_credential;

/** Returns the most memory that a login needs. */
typedef struct credential_size {
    size_t connect; /* length of CONNECT; without a key, the token is added */
    size_t scratch;
} credential_size;

void credential_init(iothub_credential *k, iothub_context *context);
credential_size credential_measure(const iothub_credential *k);
/** Sets the memory for ready-made tokens. */
void credential_set_memory(iothub_credential *k, char *token, size_t cap);
/** Checks a ready-made token against the identity, stores it, and starts to watch its expiry. */
iothub_result credential_take_token(iothub_credential *k, mqc_span signature, iothub_error *error);
/** The same for a token that replaces another one. */
iothub_result credential_replace_token(iothub_credential *k, const char *signature);

/**
 * Returns IOTHUB_OK if a login is possible now: the clock is set, and a ready-made token has not
 * expired.
 */
iothub_result credential_ready(const iothub_credential *k, iothub_error *error);
/** Queue CONNECT.  reports_flow: see mqc_connect_options. */
iothub_result credential_log_in(iothub_credential *k, bool reports_flow, mqc_time now,
                                iothub_error *error);
/** Returns how long a token made by the client is used, in ms; IOTHUB_NEVER: there is no key. */
uint64_t credential_use_ms(const iothub_credential *k);
/** Returns how many ms the token may be used beyond that time if it cannot be renewed. */
uint64_t credential_reserve_ms(const iothub_credential *k);

static inline bool credential_has_key(const iothub_credential *k)
{
    return k->context->identity.key.len > 0;
}

/** Notifies the application if its ready-made token expires soon. */
void credential_on_time(iothub_credential *k, mqc_time now);
static inline mqc_time credential_deadline(const iothub_credential *k)
{
    return k->notice_at;
}

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool credential_valid(const iothub_credential *k);

#endif
