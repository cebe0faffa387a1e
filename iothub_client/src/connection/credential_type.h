#ifndef IOTHUB_CREDENTIAL_TYPE_H
#define IOTHUB_CREDENTIAL_TYPE_H

/**
 * @file
 * The differences between the kinds of credentials. Each kind has a file of its own, which is
 * linked only into programs that make a credential of this kind. Keys and ready-made tokens are
 * always linked, because a connection string may contain them.
 */

#include "context/context.h"
#include "iothub/credential.h"
#include "text/text_writer.h"

/** When a credential is valid, in seconds of the wall clock. */
typedef struct credential_validity {
    int64_t from_s;
    int64_t until_s;  /* the credential is expired from this time on; INT64_MAX: never */
    int64_t notice_s; /* when to announce the end; 0: after 80 % of the time that is left */
} credential_validity;

/** What a credential is needed for. */
typedef enum credential_purpose {
    CREDENTIAL_OPENS, /* there is no connection */
    /* To replace the credential with which the present connection has logged in. */
    CREDENTIAL_RENEWS
} credential_purpose;

/** Whether a credential can be used now. */
typedef enum credential_supply {
    CREDENTIAL_READY,
    CREDENTIAL_WAITS,  /* the application was asked for it */
    CREDENTIAL_MISSING /* the application has failed to provide it */
} credential_supply;

/** The functions of a kind; each of those after put_password may be NULL. */
struct iothub_credential_type {
    /** Refuses a credential that this client can never log in with. May use the scratch buffer. */
    iothub_result (*check)(const iothub_context *context, const iothub_credential *c,
                           iothub_error *error);
    /** Returns the length of the longest password. */
    size_t (*password_size)(const iothub_context *context, const iothub_credential *c);
    credential_validity (*validity)(const iothub_context *context, const iothub_credential *c);
    /**
     * Makes the password. A ptr of NULL means that there is none. The function may write into the
     * rest of t.
     */
    iothub_result (*put_password)(const iothub_context *context, const iothub_credential *c,
                                  iothub_text *t, mqc_span *password, iothub_error *error);
    /** Returns when to renew a login that was made at login_at; NULL: never. */
    mqc_time (*renew_at)(const iothub_context *context, const iothub_credential *c,
                         mqc_time login_at);
    /** Requests what is missing. CREDENTIAL_MISSING: *why is filled. */
    credential_supply (*prepare)(iothub_context *context, const iothub_credential *c,
                                 credential_purpose purpose, mqc_time now, iothub_error *why);
    /** Continues a request in each turn. Returns when to call it again. */
    mqc_time (*on_turn)(iothub_context *context, const iothub_credential *c, mqc_time now);
    /** Takes the token that was requested. */
    iothub_result (*take)(const iothub_context *context, const iothub_credential *c, mqc_span token,
                          iothub_error *error);
    /** Call it when the application could not provide the token. */
    void (*fail)(const iothub_context *context, const iothub_credential *c, const char *text);
    /** Call it when the hub has refused the credential. */
    void (*forget)(const iothub_credential *c);
    iothub_result unusable; /* the result when it is not valid at present, */
    const char *too_early;  /* and the texts */
    const char *too_late;
    const char *ends_soon; /* log lines while the credential is in use */
    const char *has_ended;
};

/** Stand for the key or the ready-made token of the connection string. */
extern const iothub_credential credential_own_key;
extern const iothub_credential credential_own_token;

/** Compares a ready-made token with the names of the client. Sets *expiry_s to its expiry. */
iothub_result credential_token_check(const iothub_context *context, mqc_span token,
                                     int64_t *expiry_s, iothub_error *error);

#endif
