#ifndef IOTHUB_CREDENTIAL_H
#define IOTHUB_CREDENTIAL_H

/**
 * @file
 * Credentials: how a client proves who it is.
 *
 * A client whose connection string holds a SharedAccessKey or a SharedAccessSignature needs nothing
 * of this file. Any other credential is passed in iothub_options.credentials, together with a
 * connection string that names only the hub and the device:
 *
 *     const iothub_credential own = iothub_key_credential(key_from_the_secure_store, NULL);
 *     options.credentials = &own;
 *     options.credential_count = 1;
 *     c = iothub_new("HostName=myhub.azure-devices.net;DeviceId=device1", &options, &error);
 *
 * A credential is a small value that may be copied. It points to what it was made from, and owns
 * nothing.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** What a client proves its identity with. */
typedef enum iothub_credential_kind {
    IOTHUB_CREDENTIAL_NONE = 0, /**< No credential. */
    IOTHUB_CREDENTIAL_KEY,      /**< A shared access key, from which the client makes tokens. */
    IOTHUB_CREDENTIAL_TOKEN     /**< A ready-made SharedAccessSignature. */
} iothub_credential_kind;

/** Largest number of credentials that a client takes. */
#define IOTHUB_CREDENTIALS_MAX 16

/** How the SDK uses a kind of credential. Private. */
typedef struct iothub_credential_type iothub_credential_type;

/** A shared access key. */
typedef struct iothub_shared_key {
    const char *key;         /**< The key, in base64. */
    const char *policy_name; /**< The policy of the hub that owns the key; NULL: the key is the
                                  device's or the module's own. */
} iothub_shared_key;

/**
 * One credential. Make it with one of the functions below, and do not write its members. The struct
 * does not grow.
 */
typedef struct iothub_credential {
    iothub_credential_kind kind;        /**< Its kind, which tells what is valid in as. */
    const iothub_credential_type *type; /**< Private. */
    /** What it was made from. */
    union {
        iothub_shared_key key; /**< IOTHUB_CREDENTIAL_KEY. */
        const char *token;     /**< IOTHUB_CREDENTIAL_TOKEN: the SharedAccessSignature. */
    } as;
} iothub_credential;

/**
 * Makes the credential of a shared access key. The client signs its own tokens with it, each valid
 * for iothub_options.sas_lifetime_s, and renews them.
 *
 * Nothing is checked here; iothub_init checks the key.
 *
 * @param key          the key in base64, NUL-terminated; borrowed as long as the credential is used
 * @param policy_name  the policy of the hub that owns the key (skn of the tokens), NUL-terminated
 *                     and borrowed as well; NULL: the key is the device's or the module's own
 * @return the credential
 */
iothub_credential iothub_key_credential(const char *key, const char *policy_name);

/**
 * Makes the credential of a ready-made SAS token, which the client cannot renew. The application is
 * notified of its end (iothub_callbacks.token_expiring).
 *
 * Nothing is checked here; iothub_init checks that the token is for the identity of the client.
 *
 * @param shared_access_signature  the token, from "SharedAccessSignature" on, NUL-terminated;
 *                                 borrowed as long as the credential is used
 * @return the credential
 */
iothub_credential iothub_token_credential(const char *shared_access_signature);

#ifdef __cplusplus
}
#endif
#endif
