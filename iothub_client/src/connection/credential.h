#ifndef IOTHUB_CREDENTIAL_H
#define IOTHUB_CREDENTIAL_H

/**
 * @file
 * User name and token of a login, and how long they are good.
 */

#include "context/context.h"
#include "context/deadline.h"

/** A token is used for 80 % of its life: so many ms of each second. */
enum { CREDENTIAL_USE_MS_PER_S = 800 };

typedef struct iothub_credential {
    iothub_context *context;
    /* Of a ready-made token; without one, the client has a key. */
    char *token;
    int64_t expiry_s;       /* of the wall clock */
    mqc_time notice_at;     /* when the application hears of its end */
    int64_t notice_clock_s; /* wall_clock_offset_s when that was worked out */
    uint32_t token_cap;
    bool replaced; /* since the last CONNECT */
} iothub_credential;

/** What logging in takes at most. */
typedef struct credential_size {
    size_t connect; /* of CONNECT; without a key, its token comes on top */
    size_t scratch;
} credential_size;

void credential_init(iothub_credential *k, iothub_context *context);
credential_size credential_measure(const iothub_credential *k);
/** Where ready-made tokens are kept. */
void credential_set_memory(iothub_credential *k, char *token, size_t cap);
/** Check a ready-made token against the identity, keep it, and start to watch its end. */
iothub_result credential_take_token(iothub_credential *k, mqc_span signature, iothub_error *error);
/** The same for one that replaces another. */
iothub_result credential_replace_token(iothub_credential *k, const char *signature);

/** IOTHUB_OK when a login is possible now: the clock is set, a given token has not run out. */
iothub_result credential_ready(const iothub_credential *k, iothub_error *error);
/** Queue CONNECT.  reports_flow: see mqc_connect_options. */
iothub_result credential_log_in(iothub_credential *k, bool reports_flow, mqc_time now,
                                iothub_error *error);
/** How long a token of the client's own is used, in ms; IOTHUB_NEVER: it has no key. */
uint64_t credential_use_ms(const iothub_credential *k);
/** How long after that it may be used if it has to be. */
uint64_t credential_reserve_ms(const iothub_credential *k);

static inline bool credential_has_key(const iothub_credential *k)
{
    return k->context->identity.key.len > 0;
}

/** A ready-made token that runs out is told to the application. */
void credential_on_time(iothub_credential *k, mqc_time now);
static inline mqc_time credential_deadline(const iothub_credential *k)
{
    return k->notice_at;
}

/** What this part alone is responsible for; debug builds look at each entry. */
bool credential_valid(const iothub_credential *k);

#endif
