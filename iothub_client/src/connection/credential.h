#ifndef IOTHUB_CREDENTIAL_PART_H
#define IOTHUB_CREDENTIAL_PART_H

/**
 * @file
 * The credentials of a client: which one a login uses, how long it is valid, and what follows when
 * it is refused.
 */

#include "connection/login.h"
#include "context/deadline.h"

/** A token is used for 80 % of its life: this many ms of each second. */
enum { CREDENTIAL_USE_MS_PER_S = 800 };

/** What to do after a failed attempt. */
typedef enum credential_step {
    CREDENTIAL_STAYS,  /* the failure is none of the credential, or no other one is left */
    CREDENTIAL_MOVES,  /* another attempt should follow soon, perhaps with another credential */
    CREDENTIAL_RETURNS /* the replacement is given up, and the earlier credentials are in use */
} credential_step;

typedef struct credential_part {
    iothub_context *context;
    const iothub_credential *list; /* in the order in which they are tried */
    const iothub_credential *next; /* replaces the list once it has logged in; NULL: none */
    mqc_time notice_at;      /* when the application is notified that the one in use expires */
    int64_t notice_clock_s;  /* wall_clock_offset_s when that was computed */
    mqc_time first_again_at; /* when the first of the list may be tried again */
    uint32_t token_cap;      /* of the memory for the connection string's token */
    uint32_t connect_cap;    /* of the memory for CONNECT */
    uint8_t count, next_count;
    uint8_t index, next_index;
    uint8_t refusals;    /* of the credential in use, one after the other */
    int8_t replaced_how; /* iothub_result of the latest replacement */
    bool uses_next : 1;  /* the present attempt uses a credential of next */
    bool hurries : 1;    /* no credential gets a second attempt before the next login */
    bool new_token : 1;  /* the token was replaced after the latest CONNECT */
} credential_part;

void credential_init(credential_part *k, iothub_context *context);
/** Takes the credentials of the options or, without any, that of the connection string. */
void credential_take_options(credential_part *k);
login_size credential_measure(const credential_part *k);
/** Sets the memory for the connection string's token, and the size of that for CONNECT. */
void credential_set_memory(credential_part *k, char *token, size_t token_cap, size_t connect_cap);
/** Refuses credentials that cannot log in this client; otherwise the first one is in use. */
iothub_result credential_check_options(credential_part *k, iothub_error *error);
/** Checks a ready-made token against the identity, stores it, and starts to watch its expiry. */
iothub_result credential_take_token(credential_part *k, mqc_span signature, iothub_error *error);

/* --- what the application replaces --------------------------------------------------------- */

/** iothub_set_token. */
iothub_result credential_replace_token(credential_part *k, const char *signature);
/** iothub_set_credentials: they are tried in the next attempt. */
iothub_result credential_replace(credential_part *k, const iothub_credential *list, size_t count);
/** Fills in what iothub_get_credentials returns. */
void credential_describe(const credential_part *k, iothub_credentials_info *out);

/* --- attempts -------------------------------------------------------------------------------- */

/** The credential of the present attempt or connection. */
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

/** Returns the certificate to present; NULL: none. */
static inline plat_identity *credential_identity(const credential_part *k)
{
    const iothub_credential *c = credential_in_use(k);

    return c->kind == IOTHUB_CREDENTIAL_X509 ? c->as.identity : NULL;
}

/** True if a list waits for its first attempt. */
static inline bool credential_list_waits(const credential_part *k)
{
    return k->next != NULL && !k->uses_next;
}

/** True if the application has passed a token or credentials that were not tried yet. */
static inline bool credential_is_outdated(const credential_part *k)
{
    return k->new_token || credential_list_waits(k);
}

/** True if an earlier credential of the list was refused. */
static inline bool credential_is_second_best(const credential_part *k)
{
    return k->index > 0;
}

/** Chooses the credential of an attempt that begins now. */
void credential_begin(credential_part *k, mqc_time now);
/**
 * Returns IOTHUB_OK if a login is possible now: the clock is set, and the credential is valid.
 */
iothub_result credential_ready(const credential_part *k, iothub_error *error);
/** Queues CONNECT.  reports_flow: see mqc_connect_options. */
iothub_result credential_log_in(credential_part *k, bool reports_flow, mqc_time now,
                                iothub_error *error);
/** The hub has accepted the login. */
void credential_accepted(credential_part *k);
/** An attempt has failed. */
credential_step credential_failed(credential_part *k, iothub_result reason, mqc_time now);
/** The wall clock was set: the first credential may be valid now. */
void credential_clock_was_set(credential_part *k);

/** Returns how long a token made by the client is used, in ms; IOTHUB_NEVER: there is no key. */
uint64_t credential_use_ms(const credential_part *k);
/** Returns how many ms the token may be used beyond that time if it cannot be renewed. */
uint64_t credential_reserve_ms(const credential_part *k);

/* --- time --------------------------------------------------------------------------------------
 */

/** Notifies the application if the credential in use expires soon. */
void credential_on_time(credential_part *k, mqc_time now);
static inline mqc_time credential_deadline(const credential_part *k)
{
    return k->notice_at;
}

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool credential_valid(const credential_part *k);

#endif
