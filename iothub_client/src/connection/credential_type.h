#ifndef IOTHUB_CREDENTIAL_TYPE_H
#define IOTHUB_CREDENTIAL_TYPE_H

/**
 * @file
 * What differs between the kinds of credentials. Each kind has a file of its own, which is linked
 * only into programs that make a credential of this kind; keys and ready-made tokens always are,
 * because a connection string may hold them.
 */

#include "context/context.h"
#include "iothub/credential.h"
#include "text/text_writer.h"

struct iothub_credential_type {
    /** Refuses a credential that can never log in this client. May use the scratch buffer. */
    iothub_result (*check)(const iothub_context *context, const iothub_credential *c,
                           iothub_error *error);
    /** Returns the length of the longest password. */
    size_t (*password_size)(const iothub_context *context, const iothub_credential *c);
    /** Returns when it expires, in seconds of the wall clock; INT64_MAX: never. */
    int64_t (*expiry_s)(const iothub_context *context, const iothub_credential *c);
    /** Makes the password, if necessary in the rest of t, and returns it. */
    iothub_result (*put_password)(const iothub_context *context, const iothub_credential *c,
                                  iothub_text *t, mqc_span *password, iothub_error *error);
    const char *expired; /* what to report when it has expired */
};

/** The key or the ready-made token of the connection string. */
extern const iothub_credential credential_own_key;
extern const iothub_credential credential_own_token;

/** Checks a ready-made token against the names of the client. *expiry_s: when it expires. */
iothub_result credential_token_check(const iothub_context *context, mqc_span token,
                                     int64_t *expiry_s, iothub_error *error);

#endif
