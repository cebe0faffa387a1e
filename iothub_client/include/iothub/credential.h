#ifndef IOTHUB_CREDENTIAL_H
#define IOTHUB_CREDENTIAL_H

/**
 * @file
 * Credentials: how a client proves who it is.
 *
 * A client whose connection string contains a SharedAccessKey or a SharedAccessSignature needs
 * nothing of this file. Any other credential is passed in iothub_options.credentials, together with
 * a connection string that names only the hub and the device:
 *
 *     const iothub_credential own = iothub_key_credential(key_from_the_secure_store, NULL);
 *     options.credentials = &own;
 *     options.credential_count = 1;
 *     c = iothub_new("HostName=myhub.azure-devices.net;DeviceId=device1", &options, &error);
 *
 * A credential is a small value that may be copied. It points to what it was made from, and owns
 * nothing.
 *
 * Several credentials in order: the client begins with the first. It goes on to the next one when a
 * credential is of no use: when the hub has refused it twice in a row (CONNACK 4 or 5, or a TLS
 * alert about the certificate), when a token provider has failed twice, or when it has expired or
 * is not valid yet. When the last one is of no use either, it begins again with the first, after
 * auth_retry_min_ms to auth_retry_max_ms; until the next login each credential then has one attempt
 * in each round. A client that is connected with a later credential stays so. It tries the first
 * one again in an attempt that begins after a lost connection, if the first was refused at least
 * auth_retry_max_ms ago, and also when the wall clock was set. iothub_status.credential_index and
 * iothub_get_credentials report which one is in use.
 *
 * How long secrets stay in memory: a client keeps a copy of the connection string with its key as
 * long as it exists, because it signs tokens with the key; iothub_deinit and iothub_free erase it
 * and the latest token. Other texts, such as the key of a credential and the URL of a proxy, are
 * borrowed, and are for the application to erase afterwards. What the environment or a command line
 * contains stays there.
 *
 * Replacing credentials: see iothub_set_credentials in iothub/client.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "platform/identity.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iothub_client; /* iothub/client.h */

/** What a client proves its identity with. */
typedef enum iothub_credential_kind {
    IOTHUB_CREDENTIAL_NONE = 0, /**< No credential. */
    IOTHUB_CREDENTIAL_KEY,      /**< A shared access key, from which the client makes tokens. */
    IOTHUB_CREDENTIAL_TOKEN,    /**< A ready-made SharedAccessSignature. */
    IOTHUB_CREDENTIAL_X509,     /**< A client certificate and its private key. */
    IOTHUB_CREDENTIAL_PROVIDER  /**< A function of the application that provides SAS tokens. */
} iothub_credential_kind;

/** Largest number of credentials that a client accepts. */
#define IOTHUB_CREDENTIALS_MAX 16

/** How the SDK uses a kind of credential. Private. */
typedef struct iothub_credential_type iothub_credential_type;

/** A shared access key. */
typedef struct iothub_shared_key {
    const char *key;         /**< The key, in base64. */
    const char *policy_name; /**< The policy of the hub that owns the key; NULL: the key is the
                                  device's or the module's own. */
} iothub_shared_key;

/** What a token provider is doing. Private. */
typedef enum iothub_token_phase {
    IOTHUB_TOKEN_IDLE = 0,  /**< Nothing was requested, or the token was provided. */
    IOTHUB_TOKEN_REQUESTED, /**< A token was requested. */
    IOTHUB_TOKEN_FAILED,    /**< The request has failed, which the client has not handled yet. */
    IOTHUB_TOKEN_RESTS      /**< The request has failed, and is repeated after a while. */
} iothub_token_phase;

/**
 * A function of the application that provides SAS tokens, for example of a service or a gateway
 * that keeps the key.
 *
 * The application initialises the struct with zeros, sets the first five members, and makes a
 * credential of it (iothub_provider_credential). The struct and its memory belong to one client as
 * long as the credential is used. The struct does not grow.
 *
 * The client requests a token before it connects, unless it has one that is still valid; after 80 %
 * of the time that a token had left when it was provided, for a planned renewal; and after the hub
 * has refused a token. While the request is not answered, a connected client stays connected, and
 * one that connects stays in the state IOTHUB_RESOLVING. The answer is iothub_provide_token or
 * iothub_token_failed, in the callback or later, on any thread that may use the client. Without an
 * answer within request_timeout_ms the request has failed; a later token is welcome all the same.
 *
 * A failed request is repeated: if the client is connected, with the back-off of retry_min_ms to
 * retry_max_ms; otherwise the attempt to connect has failed with IOTHUB_ERR_NO_TOKEN, and the next
 * one requests a token again. Two failures in a row count like two refusals of the hub: the next
 * credential is tried, if there is one.
 */
typedef struct iothub_token_provider {
    /** Requests a token. Called like the other callbacks, inside iothub_process or on the runner's
     * thread; it must not block. */
    void (*request)(struct iothub_client *c, void *user);
    /**
     * Called in each turn of the client while a token is requested, for a provider that has work to
     * do meanwhile. Returns the number of milliseconds after which to call it again at the latest;
     * UINT32_MAX: there is no such time. NULL: the provider has no such work.
     */
    uint32_t (*progress)(struct iothub_client *c, void *user);
    void *user;         /**< Passed to request and progress. */
    char *memory;       /**< Where the client keeps the token. The client does not erase it at its
                             end; the application does, since it owns the memory. */
    size_t memory_size; /**< Its size in bytes; IOTHUB_SAS_TOKEN_SIZE is enough for the token of a
                             device or module. */

    int64_t until_s;          /**< Private: when the token expires. */
    uint64_t renew_at_ms;     /**< Private: when to renew the login. */
    uint64_t wake_at_ms;      /**< Private: when the request times out or is repeated. */
    uint32_t failures;        /**< Private: failed requests, one after the other. */
    iothub_token_phase phase; /**< Private. */
    bool unused;              /**< Private: no login has used the token yet. */
    iothub_error fault;       /**< Private: why the latest request has failed. */
} iothub_token_provider;

/**
 * One credential. Make it with one of the functions below, and do not write its members. The struct
 * does not grow.
 */
typedef struct iothub_credential {
    /** Kind of the credential; it decides which member of as is used. */
    iothub_credential_kind kind;
    const iothub_credential_type *type; /**< Private. */
    /** The data of the credential; kind decides which member is used. */
    union {
        iothub_shared_key key;           /**< IOTHUB_CREDENTIAL_KEY. */
        const char *token;               /**< IOTHUB_CREDENTIAL_TOKEN: the SharedAccessSignature. */
        iothub_token_provider *provider; /**< IOTHUB_CREDENTIAL_PROVIDER: the provider. */
        plat_identity *identity; /**< IOTHUB_CREDENTIAL_X509: the certificate and its key. */
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

/**
 * Makes the credential of a client certificate. The client presents the certificate in the TLS
 * handshake and logs in without a password.
 *
 * Before each attempt the client compares the wall clock with the dates of the certificates of the
 * chain. Outside of them the attempt fails with IOTHUB_ERR_CREDENTIAL, without a connection; it is
 * repeated 5 s after the clock was set. A certificate may begin up to 5 minutes after the time of
 * the client's clock, which may be slow. The application is notified of the end
 * (iothub_callbacks.token_expiring). A connection that was made before the end is not closed by the
 * client.
 *
 * The platform of the client must have identities (plat_posix_identities).
 *
 * @param identity  the certificate and its key, made by plat_identities.make; borrowed as long as
 *                  the credential is used
 * @return the credential
 */
iothub_credential iothub_x509_credential(plat_identity *identity);

/**
 * Makes the credential of a token provider.
 *
 * @param provider  the provider; borrowed, with its memory, as long as the credential is used
 * @return the credential
 */
iothub_credential iothub_provider_credential(iothub_token_provider *provider);

/** Which credentials a client has and uses. */
typedef struct iothub_credentials_info {
    iothub_credential_kind kind; /**< Kind of the credential in use; see iothub_status. */
    unsigned index;              /**< Number of this credential in its list; see iothub_status. */
    const iothub_credential *credentials; /**< The list in use: the latest one that has logged in,
                                             or that of the options; NULL: the credential of the
                                               connection string. */
    const iothub_credential *replacement; /**< The list that is to replace it; NULL: none. */
    iothub_result replaced; /**< IOTHUB_OK, or why the latest replacement was given up. */
} iothub_credentials_info;

#ifdef __cplusplus
}
#endif
#endif
