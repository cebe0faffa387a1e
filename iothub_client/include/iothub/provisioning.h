#ifndef IOTHUB_PROVISIONING_H
#define IOTHUB_PROVISIONING_H

/**
 * @file
 * The Device Provisioning Service (DPS): a device that knows only an id scope and a key or a
 * certificate asks the service which hub it belongs to.
 *
 * There are two ways to use it. A program that wants a connected device makes a client:
 *
 *     iothub_provisioning_options p;
 *     iothub_provisioning_options_init(&p);
 *     p.id_scope = "0ne00000000";
 *     p.registration_id = "sn-007";
 *     p.key = device_key;
 *     p.cache = cache;                          optional: see platform/file_kv.h
 *     c = iothub_new_provisioned(&p, &options, &error);
 *     iothub_start(c);                          from here on an ordinary client
 *
 * The client accepts requests from the first moment. In the background it asks the service for its
 * hub (state IOTHUB_PROVISIONING), or takes the hub from the cache, and connects. It asks again
 * when the hub cannot be reached or refuses the device, and moves to another hub without losing a
 * message that it has accepted.
 *
 * A program that wants only the answer uses iothub_provisioning_new and the functions after it.
 *
 * A program that calls none of these functions does not link them.
 *
 * Sources: "Use MQTT to communicate with Azure IoT DPS", "Symmetric key attestation", "X.509
 * attestation", "Manage
 * device reconnections to create resilient applications", DPS REST reference.
 */

#include "iothub/client.h"
#include "iothub/credential.h"
#include "platform/kv.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Longest registration id in characters. */
#define IOTHUB_REGISTRATION_ID_MAX 128
/** Longest id scope in characters. */
#define IOTHUB_ID_SCOPE_MAX 64
/** Bytes of a device key that iothub_derive_device_key makes: 44 characters and the NUL. */
#define IOTHUB_DEVICE_KEY_SIZE 45
/** Largest custom payload of a registration in bytes. */
#define IOTHUB_PROVISIONING_PAYLOAD_MAX 16384

/**
 * Derives the key of a device from the primary or secondary key of an enrolment group: the base64
 * text of HMAC-SHA256 over the registration id. Write the id in the same letter case wherever a key
 * is derived from it.
 *
 * A group key belongs on a machine of the factory rather than on a device: who reads it from one
 * device can pose as every device of the group.
 *
 * @param crypto           the platform's cryptography
 * @param group_key        the key of the group, in base64; white space around it is ignored
 * @param registration_id  the device, NUL-terminated
 * @param[out] out         the key of the device, NUL-terminated; empty after a failure
 * @param[out] err         the reason for a failure; may be NULL
 * @retval IOTHUB_ERR_KEY           the key is empty, not base64, or longer than IOTHUB_KEY_MAX
 * @retval IOTHUB_ERR_PART_INVALID  the registration id is not valid; the text says why
 * @retval IOTHUB_ERR_ARG           a pointer other than err is NULL
 * @retval IOTHUB_ERR_CRYPTO        the crypto library failed
 */
iothub_result iothub_derive_device_key(const plat_crypto *crypto, const char *group_key,
                                       const char *registration_id,
                                       char out[IOTHUB_DEVICE_KEY_SIZE], iothub_error *err);

/** Longest certificate request of a registration, in characters of base64. */
#define IOTHUB_CSR_MAX 8192
/** Longest request that iothub_options.certificate makes, in characters of base64. */
#define IOTHUB_CSR_MADE_MAX 2048
/** Least answer_size of a registration with a certificate request. */
#define IOTHUB_CSR_ANSWER_MIN 16384

/** Where a device belongs. Spans, texts and certificates are valid until the callback returns. */
typedef struct iothub_assignment {
    const char *hub;       /**< Host name of the hub. */
    const char *device_id; /**< The device id there. */
    /** What the service did with the device's data: "initialAssignment", "deviceDataMigrated" or
     * "deviceDataReset"; "" if the answer does not say, and for a hub from the cache. */
    const char *substatus;
    mqc_span payload; /**< JSON that the service's custom allocation returns to the device; empty if
                           there is none, and for a hub from the cache. */
    bool from_cache;  /**< The hub is from the cache; the service was not asked. */
    /** The chain that the service has issued for iothub_provisioning_options.csr: certificates as
     * DER, one directly after another, that of the device first, as plat_identity_config.chain
     * takes them. NULL if the answer has none, and for a hub from the cache. */
    const uint8_t *certificates;
    size_t certificates_len; /**< Size of the chain in bytes; 0: there is none. */
} iothub_assignment;

/** A function that learns where a device belongs; see iothub_provisioning_options.assigned. */
typedef void iothub_assigned_callback(iothub_client *c, const iothub_assignment *a, void *user);

/**
 * What to ask the service, and how. Call iothub_provisioning_options_init first, which sets the
 * defaults named below.
 *
 * The functions that take the struct copy it, and also its texts, except payload and csr. They
 * borrow cache, payload, csr and the identity of the credential, which must stay valid until the
 * client or the registration has ended.
 */
typedef struct iothub_provisioning_options {
    size_t struct_size; /**< Size of this struct, set by iothub_provisioning_options_init. */

    const char *id_scope; /**< Id scope of the service, as the portal shows it. */
    /** Up to IOTHUB_REGISTRATION_ID_MAX letters, digits and - . _ : in any letter case, with a
     * letter or digit at both ends. The service's answer decides the device id, which is the same
     * unless an individual enrolment names another one. */
    const char *registration_id;
    /** Key of the device in base64: that of an individual enrolment, or one that was derived from
     * the key of a group. NULL: group_key or credential is set. */
    const char *key;
    /** Key of an enrolment group in base64, from which the key of the device is derived. See
     * iothub_derive_device_key for why a device should have key instead. */
    const char *group_key;
    /**
     * A credential in place of key and group_key, of the kind IOTHUB_CREDENTIAL_X509 or
     * IOTHUB_CREDENTIAL_KEY; it is copied. The common name of a certificate must be the
     * registration id. A client logs in to the hub with the same credential, unless
     * iothub_options.credentials names others. NULL (the default): none.
     */
    const iothub_credential *credential;
    /** JSON for the service's custom allocation, NUL-terminated, at most
     * IOTHUB_PROVISIONING_PAYLOAD_MAX bytes. NULL (the default): none. */
    const char *payload;

    const char *host;        /**< The service. Default global.azure-devices-provisioning.net. */
    uint16_t port;           /**< TCP port of the service. 0 (the default): that of the transport
                                  of iothub_options, 8883 or 443. */
    const char *api_version; /**< Version of its API. Default 2021-06-01. */
    /** Largest answer in bytes, with its topic; at least 1024. Default 4096. A custom payload may
     * need more. With csr, a smaller value counts as IOTHUB_CSR_ANSWER_MIN. */
    size_t answer_size;
    /** How long the service may take to choose a hub, in milliseconds, from the login on. Default
     * 10 min. Waits that the service asks for are completed even if they are longer. */
    uint32_t assign_timeout_ms;

    /** Number of failed attempts in a row to connect to the hub after which the client asks the
     * service again. Default 10. Each registration counts against the quota of the service. */
    uint32_t register_after;
    /**
     * Where the client keeps its assignment, so that the next run connects without asking the
     * service. It contains names, but no secret. NULL (the default): each run asks. A store that
     * cannot be read or written is logged, and the client continues without it.
     */
    plat_kv *cache;
    /**
     * The device was assigned to a hub, by the service or by the cache. It receives the user
     * pointer of iothub_options. NULL (the default): none. The client calls it inside
     * iothub_process, before it connects to the hub; a registration without a client passes NULL
     * for c.
     */
    iothub_assigned_callback *assigned;
    /**
     * A certificate request (PKCS #10) for which the service issues a certificate; its answer is
     * iothub_assignment.certificates. It is DER in base64 without the lines of PEM, NUL-terminated,
     * at most IOTHUB_CSR_MAX characters; platform/csr.h makes one. The common name must be the
     * registration id, and the enrolment must name an authority that issues certificates. It is
     * borrowed as payload is. NULL (the default): none.
     *
     * This is a preview of the service and needs an api_version that ends with "-preview", such as
     * 2025-07-01-preview. key, group_key or credential is needed all the same: it proves to the
     * service who asks.
     *
     * A client does not log in with the issued certificate by itself, because it does not have the
     * key. Make an identity of the chain and the key in assigned (plat_identities.make), and pass
     * it to iothub_set_credentials there; the client then connects with it. Save chain and key
     * as well: the next run passes them in iothub_options.credentials and needs no csr until the
     * certificate expires soon.
     *
     * A client with iothub_options.certificate (iothub/certificate.h) does all this by itself, and
     * renews the certificate; then csr must be NULL.
     *
     * With csr the client asks the service even if the cache knows the hub. If the service cannot
     * answer, the client connects to that hub with the credentials that it has. Each registration
     * sends the same request, and the service issues a new certificate for it.
     *
     * Source: "Issue X.509 certificates to devices with DPS" (preview).
     */
    const char *csr;
} iothub_provisioning_options;

/**
 * iothub_provisioning_options_init for a struct of any size; see "Sizes of structs" in
 * iothub/client.h.
 *
 * @param[out] p       as there
 * @param struct_size  sizeof *p of the application
 */
void iothub_provisioning_options_init_sized(iothub_provisioning_options *p, size_t struct_size);

/**
 * Sets *p to the defaults. Call it before you set the first option.
 *
 * @param[out] p  the options; NULL does nothing
 */
static inline void iothub_provisioning_options_init(iothub_provisioning_options *p)
{
    iothub_provisioning_options_init_sized(p, sizeof *p);
}

/* --- a client that finds its hub ---------------------------------------------------- */

/**
 * Allocates a client that asks the service for its hub. Use it like one of iothub_new, and free it
 * with iothub_free.
 *
 * What differs from other clients:
 * - iothub_start leads to IOTHUB_PROVISIONING if no hub is known. If the cache knows one, the
 *   client connects to it.
 * - After register_after failed attempts in a row to connect to the hub, or when the hub has
 * refused the credential twice in a row, the client asks the service again. If the service cannot
 * answer, the client tries the known hub and the service in turn.
 * - After an answer that only a person can change (no such enrolment, wrong key, disabled), the
 *   client asks again after auth_retry_min_ms to auth_retry_max_ms of its options.
 * - A wait that the service asks for (retry-after) is obeyed even if it is longer than
 *   retry_max_ms. The retry callback may still decide otherwise.
 * - Telemetry that waits is sent to the new hub, also from a store. If the service gives the device
 *   a longer device id than before, and the waiting messages no longer fit tx_size, the oldest end
 *   with IOTHUB_ERR_DROPPED until the others fit.
 *
 * The time limits, back-off, ca_file, platform, log and status callbacks in *o apply to the
 * service, too.
 *
 * @param p           whom to ask for which hub
 * @param o           the options of the client
 * @param[out] error  the reason for a failure; may be NULL
 * @return the client; NULL after a failure
 */
iothub_client *iothub_new_provisioned(const iothub_provisioning_options *p, const iothub_options *o,
                                      iothub_error *error);

/**
 * Initialises such a client in memory of the caller, and uses no heap. End it with iothub_deinit.
 *
 * @param memory      room for the client and its provisioning
 * @param memory_len  its size in bytes, at least the sum of IOTHUB_PROVISIONED_MEMORY_SIZE
 *                    (iothub/memory_size.h) and twice the lengths of payload and csr
 * @param p           as in iothub_new_provisioned
 * @param o           as there; the sizes must be set
 * @param[out] error  the reason for a failure; may be NULL. IOTHUB_ERR_MEMORY: the text gives the
 *                    number of missing bytes, or a part of it
 * @return the client; NULL after a failure
 */
iothub_client *iothub_init_provisioned(void *memory, size_t memory_len,
                                       const iothub_provisioning_options *p,
                                       const iothub_options *o, iothub_error *error);

/* --- the answer alone ---------------------------------------------------------------- */

/** A registration with the service, without a client. */
typedef struct iothub_provisioning iothub_provisioning; /* x */

/** State of a registration. */
typedef enum iothub_provisioning_state {
    IOTHUB_PROVISIONING_RUNS = 1, /**< Waiting for the network or the service. */
    IOTHUB_PROVISIONING_WAITS,    /**< An attempt failed; the next one is scheduled. */
    IOTHUB_PROVISIONING_ASSIGNED, /**< The device is assigned: see iothub_provisioning_answer. */
    IOTHUB_PROVISIONING_FAILED    /**< The service refused the device, and only a person can change
                                       that: see iothub_provisioning_error. */
} iothub_provisioning_state;

/**
 * Allocates a registration and begins it: the first iothub_provisioning_process connects. The cache
 * is not used.
 *
 * @param p           whom to ask
 * @param o           platform, ca_file, time limits, back-off, log and user; the other options do
 *                    not matter
 * @param[out] error  the reason for a failure; may be NULL
 * @return the registration, to be freed with iothub_provisioning_free; NULL after a failure
 */
iothub_provisioning *iothub_provisioning_new(const iothub_provisioning_options *p,
                                             const iothub_options *o, iothub_error *error);

/**
 * Ends the registration, closes its connection and frees its memory.
 *
 * @param r  the registration; may be NULL
 */
void iothub_provisioning_free(iothub_provisioning *r);

/**
 * Does all work that is due and returns the state. Never blocks.
 *
 * An attempt that failed for a reason that may pass is repeated with back-off, without limit. Calls
 * in the states IOTHUB_PROVISIONING_ASSIGNED and IOTHUB_PROVISIONING_FAILED do nothing.
 *
 * @param r  the registration; NULL: the result is IOTHUB_PROVISIONING_FAILED
 * @return the state
 */
iothub_provisioning_state iothub_provisioning_process(iothub_provisioning *r);

/**
 * Sleeps until there is work to do, then calls iothub_provisioning_process.
 *
 * @param r       the registration; NULL: the result is IOTHUB_PROVISIONING_FAILED
 * @param max_ms  longest sleep in milliseconds
 * @return the state
 */
iothub_provisioning_state iothub_provisioning_wait(iothub_provisioning *r, uint32_t max_ms);

/**
 * Reports what to wait for before the next iothub_provisioning_process. The rules of
 * iothub_poll_info apply; only the first slot is used.
 *
 * @param r            the registration; may be NULL: nothing to wait for
 * @param[out] out     the answer
 * @param struct_size  sizeof *out of the application
 */
void iothub_provisioning_poll_info_sized(iothub_provisioning *r, iothub_poll *out,
                                         size_t struct_size);

/**
 * iothub_provisioning_poll_info_sized for the struct of these headers.
 *
 * @param r         as there
 * @param[out] out  as there
 */
static inline void iothub_provisioning_poll_info(iothub_provisioning *r, iothub_poll *out)
{
    iothub_provisioning_poll_info_sized(r, out, sizeof *out);
}

/**
 * Returns where the device belongs.
 *
 * @param r  the registration; may be NULL
 * @return the assignment, valid until iothub_provisioning_free; NULL in any state but
 *         IOTHUB_PROVISIONING_ASSIGNED
 */
const iothub_assignment *iothub_provisioning_answer(const iothub_provisioning *r);

/**
 * Returns why the latest attempt failed.
 *
 * @param r  the registration; may be NULL
 * @return never NULL; valid until the next call. Its code is IOTHUB_OK if no attempt has failed.
 */
const iothub_error *iothub_provisioning_error(const iothub_provisioning *r);

#ifdef __cplusplus
}
#endif
#endif
