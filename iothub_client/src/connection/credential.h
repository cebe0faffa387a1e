#ifndef IOTHUB_CREDENTIAL_PART_H
#define IOTHUB_CREDENTIAL_PART_H

/**
 * @file
 * The credentials of a client: which one a login uses, how long it is valid, and what happens when
 * it is refused.
 */

#include "connection/login.h"
#include "context/deadline.h"

/** What to do after a failed attempt. */
typedef enum credential_step {
    CREDENTIAL_STAYS, /* the failure is not the fault of the credential, or there is no other one */
    CREDENTIAL_MOVES, /* another attempt should follow soon, perhaps with another credential */
    CREDENTIAL_RETURNS /* the replacement is given up, and the earlier credentials are used again */
} credential_step;

typedef struct credential_part {
    iothub_context *context;
    const iothub_credential *list; /* the credentials in the order in which they are tried */
    const iothub_credential *next; /* replaces the list after it has logged in; NULL: none */
    mqc_time notice_at;      /* when to notify the application that the credential in use expires */
    int64_t notice_clock_s;  /* value of wall_clock_offset_s when notice_at was computed */
    mqc_time first_again_at; /* when the first credential of the list may be tried again */
    uint32_t token_cap;      /* size of the memory for the connection string's token */
    uint32_t connect_cap;    /* size of the memory for CONNECT */
    uint8_t count, next_count;
    uint8_t next_tried; /* number of credentials of next that are tried before one has logged in */
    uint8_t index, next_index;
    int8_t replaced_how;  /* iothub_result of the latest replacement */
    bool uses_next;       /* the current attempt uses a credential of next */
    bool hurries : 1;     /* until the next login, no credential gets a second attempt */
    bool new_token : 1;   /* the token was replaced after the latest CONNECT */
    uint8_t refusals : 2; /* consecutive refusals of the credential in use */
} credential_part;

void credential_init(credential_part *k, iothub_context *context);
/** Takes the credentials of the options or, without any, that of the connection string. */
void credential_take_options(credential_part *k);
login_size credential_measure(const credential_part *k);
/** Sets the memory for the connection string's token, and the size of the memory for CONNECT. */
void credential_set_memory(credential_part *k, char *token, size_t token_cap, size_t connect_cap);
/**
 * Refuses credentials that this client can never log in with. Otherwise the first credential is
 * used.
 */
iothub_result credential_check_options(credential_part *k, iothub_error *error);
/**
 * Compares a ready-made token with the identity, stores it, and sets the time of the notice of its
 * expiry.
 */
iothub_result credential_take_token(credential_part *k, mqc_span signature, iothub_error *error);

/* --- what the application replaces --------------------------------------------------------- */

/** iothub_set_token. */
iothub_result credential_replace_token(credential_part *k, const char *signature);
/**
 * Does what iothub_set_credentials does: the new credentials are used from the next attempt on. The
 * first `tried` of them decide whether they replace the earlier ones.
 */
iothub_result credential_replace(credential_part *k, const iothub_credential *list, size_t count,
                                 size_t tried);
/** iothub_provide_token. */
iothub_result credential_provide_token(const credential_part *k, const char *token);
/** iothub_token_failed. */
iothub_result credential_token_failed(const credential_part *k, const char *text);
/** Fills in what iothub_get_credentials returns. */
void credential_describe(const credential_part *k, iothub_credentials_info *out);

/* --- attempts -------------------------------------------------------------------------------- */

/** Returns the credential of the current attempt or connection. */
static inline const iothub_credential *credential_in_use(const credential_part *k)
{
    return k->uses_next ? &k->next[k->next_index] : &k->list[k->index];
}

static inline unsigned credential_index(const credential_part *k)
{
    return k->uses_next ? k->next_index : k->index;
}

static inline bool credential_has_key(const credential_part *k)
{
    return credential_in_use(k)->kind == IOTHUB_CREDENTIAL_KEY;
}

/** Returns the certificate to present, or NULL. */
static inline plat_identity *credential_identity(const credential_part *k)
{
    const iothub_credential *c = credential_in_use(k);

    return c->kind == IOTHUB_CREDENTIAL_X509 ? c->as.identity : NULL;
}

/** Returns whether a new list waits for its first attempt. */
static inline bool credential_list_waits(const credential_part *k)
{
    return k->next != NULL && !k->uses_next;
}

/** Returns whether the application has passed a token or credentials that were not tried yet. */
static inline bool credential_is_outdated(const credential_part *k)
{
    return k->new_token || credential_list_waits(k);
}

/** Returns whether an earlier credential of the list was refused, so that a later one is used. */
static inline bool credential_is_second_best(const credential_part *k)
{
    return k->index > 0;
}

/** Chooses the credential of an attempt that begins now. */
void credential_begin(credential_part *k, mqc_time now);
/**
 * Requests the credential from the application if necessary. Callbacks may run meanwhile.
 * CREDENTIAL_MISSING: *why is filled.
 */
credential_supply credential_prepare(const credential_part *k, credential_purpose purpose,
                                     mqc_time now, iothub_error *why);
/**
 * Returns IOTHUB_OK if a login is possible now: the clock is set, and the credential is valid.
 */
iothub_result credential_ready(const credential_part *k, iothub_error *error);
/** Queues CONNECT. reports_flow is passed on: see mqc_connect_options. */
iothub_result credential_log_in(credential_part *k, bool reports_flow, mqc_time now,
                                iothub_error *error);
/** Call it when the hub has accepted the login. */
void credential_accepted(credential_part *k);
/** Call it when an attempt has failed. Returns what to do next. */
credential_step credential_failed(credential_part *k, iothub_result reason, mqc_time now);
/** Call it when the wall clock was set, because the first credential may be valid now. */
void credential_clock_was_set(credential_part *k);

/** Returns when to renew a login that was made at login_at; IOTHUB_NEVER: there is no need. */
mqc_time credential_renew_at(const credential_part *k, mqc_time login_at);
/** Returns how many ms the token may be used beyond that time if it cannot be renewed. */
uint64_t credential_reserve_ms(const credential_part *k);

/* --- time --------------------------------------------------------------------------------------
 */

/**
 * Notifies the application if the credential in use expires soon, and continues the request for a
 * token.
 */
void credential_on_time(credential_part *k, mqc_time now);
/** Returns true while the application has been asked for a token. */
static inline bool credential_is_requested(const credential_part *k)
{
    return k->notice_at != IOTHUB_NEVER && credential_in_use(k)->type->prepare != NULL;
}

static inline mqc_time credential_deadline(const credential_part *k)
{
    return k->notice_at;
}

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool credential_valid(const credential_part *k);

#endif
