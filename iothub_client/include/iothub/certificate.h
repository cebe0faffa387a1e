#ifndef IOTHUB_CERTIFICATE_H
#define IOTHUB_CERTIFICATE_H

/**
 * @file
 * Client certificates that renew themselves.
 *
 * Preview: IoT Hub and the Device Provisioning Service offer this under preview versions of their
 * APIs only, and may still change it. So may this header.
 *
 * A client with iothub_options.certificate makes a key, requests a certificate for it, and logs in
 * with the certificate that the service issues. After about 80 % of its life it requests the next
 * one over its connection, with a new key, and changes to it on a new connection. No message is
 * lost, and the old certificate stays in use until the new one has logged in.
 *
 *     static uint64_t memory[IOTHUB_CERTIFICATE_SIZE / sizeof(uint64_t)];
 *     iothub_certificate_options co;
 *
 *     iothub_certificate_options_init(&co);
 *     co.platform = &platform;                     with identities: plat_posix_identities()
 *     co.maker = plat_wolfssl_csr_maker();
 *     co.cache = cache;                            optional: see platform/file_kv.h
 *     options.certificate = iothub_certificate_init(memory, sizeof memory, &co, &error);
 *     c = iothub_new_provisioned(&p, &options, &error);
 *     ...
 *     iothub_free(c);
 *     iothub_certificate_deinit(options.certificate);
 *
 * The client needs another credential as well, which proves who asks for the first certificate: the
 * key or the certificate of iothub_provisioning_options, iothub_options.credentials, or the key of
 * the connection string. The client uses it again when the issued certificate has expired, or when
 * the hub has refused it twice in a row.
 *
 * How the client gets a certificate:
 * - A client of iothub_new_provisioned sends a request with each registration, with a new key. It
 *   registers when it has no certificate, or one that has expired or ends very soon (a twentieth of
 *   its life or a minute), even if the cache knows its hub. If
 *   iothub_provisioning_options.api_version is no preview, 2025-07-01-preview is used in its place.
 *   If the service issues no certificate, the client continues with its other credential.
 * - Any other client requests its first certificate over its connection. That is also how every
 *   certificate is renewed. The client logs in with the API version 2025-08-01-preview, which the
 *   hub must offer.
 *
 * What the client does with the answers of the hub: a request that is accepted (202) may be
 * answered hours later, also on a later connection. 429 and 5xx are repeated with back-off
 * (retry_min_ms to retry_max_ms), and not before the time that the hub asks for. An earlier request
 * that is still active (409) is replaced. After any other refusal, and after a certificate that
 * cannot be used, the client asks again with a new key, after auth_retry_min_ms to
 * auth_retry_max_ms.
 *
 * Clocks: the life of a certificate is compared with the wall clock. While the clock is not set,
 * nothing is renewed. A clock that is set later is noticed within a minute.
 *
 * The client changes its credentials itself, so iothub_set_credentials and iothub_set_token are
 * refused with IOTHUB_ERR_STATE. A program that does not call iothub_certificate_init links none of
 * this.
 *
 * Sources: "Certificate management: issuance and renewal" and "Renew a device certificate" of Azure
 * IoT Hub (preview).
 */

#include "iothub/client.h"
#include "platform/csr.h"
#include "platform/kv.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size in bytes of the memory for iothub_certificate_init. */
#define IOTHUB_CERTIFICATE_SIZE (32u * 1024u)

/** Least iothub_options.rx_size of a client with a certificate that renews itself: an answer with
 * three certificates of EC keys. Chains with RSA keys need 16384. */
#define IOTHUB_CERTIFICATE_RX_MIN 8192
/** Least iothub_options.request_size of such a client: a certificate request. */
#define IOTHUB_CERTIFICATE_REQUEST_MIN 2560

/** A certificate that renews itself. Opaque; iothub_certificate_init makes one. */
typedef struct iothub_certificate iothub_certificate;

/** The states of a certificate that renews itself. */
typedef enum iothub_certificate_state {
    IOTHUB_CERTIFICATE_VALID = 1, /**< It waits for the time of its renewal. */
    IOTHUB_CERTIFICATE_WANTED,    /**< It is requested when the client is connected, or when the
                                       wait after a failure ends. */
    IOTHUB_CERTIFICATE_REQUESTED, /**< The request was sent. */
    IOTHUB_CERTIFICATE_ACCEPTED,  /**< The hub has accepted the request, and sends the certificate
                                       later. */
    IOTHUB_CERTIFICATE_ISSUED     /**< The client has received it, and is changing to it. */
} iothub_certificate_state;

/** The description of a certificate that renews itself. */
typedef struct iothub_certificate_info {
    iothub_certificate_state state; /**< The state. */
    /** Whether the client has an issued certificate. The next three members describe the one that
     * has logged in last, in seconds since 1970; they are 0 without one. */
    bool issued;
    int64_t not_before_s; /**< The first second in which it is valid. */
    int64_t not_after_s;  /**< The last second in which its whole chain is valid. */
    int64_t renew_at_s;   /**< When the client requests the next one. */
    bool saved;           /**< Whether the cache contains it. */
    uint32_t renewals;    /**< Number of issued certificates that have logged in, in this run. */
    uint32_t failures;    /**< Number of failures in a row since the last success. */
    int status;           /**< Status of the latest answer of the hub; 0: there was none. */
    iothub_error fault;   /**< The latest failure; code IOTHUB_OK: the latest request was granted,
                               or there was none. */
} iothub_certificate_info;

/**
 * A function that reports the end of a renewal: either the new certificate has logged in and was
 * saved (info->fault.code is IOTHUB_OK), or something has failed and is tried again. It is called
 * like the other callbacks, with the user pointer of iothub_options. Both pointers are valid until
 * it returns. The function may report the new validity to the hub as a reported property.
 */
typedef void iothub_certificate_callback(iothub_client *c, const iothub_certificate_info *info,
                                         void *user);

/**
 * How certificates are requested. Call iothub_certificate_options_init first, which sets the
 * defaults named below. iothub_certificate_init copies the struct and borrows what it points to,
 * until iothub_certificate_deinit.
 */
typedef struct iothub_certificate_options {
    size_t struct_size; /**< Size of this struct, set by iothub_certificate_options_init. */

    const plat_platform *platform; /**< The platform of the client, with identities. No default. */
    const plat_csr_maker *maker;   /**< Makes keys and requests: plat_wolfssl_csr_maker() on Linux.
                                        No default. */
    plat_key_kind key_kind; /**< Kind of the keys that are made. Default PLAT_KEY_EC_P256. An RSA
                                 key takes seconds, in which the client does nothing else. */
    /**
     * A key outside of the process, for example in a PKCS#11 token (platform/pkcs11.h), which signs
     * requests and logins. No key is made then: each certificate is for this same key. The signer
     * stays the caller's; its release is not called. NULL (the default): keys are made.
     */
    const plat_signer *signer;
    const uint8_t *public_key; /**< With signer: its public key, as SubjectPublicKeyInfo in DER. */
    size_t public_key_len;     /**< Size of public_key in bytes. */
    /**
     * Where certificate and key are saved for the next run, as one value. It contains the private
     * key (unless there is a signer), not encrypted, so only the program may be able to read it;
     * the files of plat_file_kv_open have the mode 0600. A new pair replaces the old one when it
     * has logged in, so a process that is killed at any moment leaves one of the two. NULL (the
     * default): nothing is saved, and each run requests a certificate.
     */
    plat_kv *cache;
    const char *cache_key; /**< Name of that value. Default "certificate". Devices that share a
                                cache need different names. */
    /** Share of its life after which a certificate is renewed, in percent, 1 to 90. Default 80. The
     * moment is random within a twentieth of the life, so that a fleet does not renew at once. */
    unsigned renew_percent;
    iothub_certificate_callback *changed; /**< Default NULL: none. */
} iothub_certificate_options;

/**
 * iothub_certificate_options_init for a struct of any size; see "Sizes of structs" in
 * iothub/client.h.
 *
 * @param[out] o       as there
 * @param struct_size  sizeof *o of the application
 */
void iothub_certificate_options_init_sized(iothub_certificate_options *o, size_t struct_size);

/**
 * Sets *o to the defaults. Call it before you set the first option.
 *
 * @param[out] o  the options; NULL does nothing
 */
static inline void iothub_certificate_options_init(iothub_certificate_options *o)
{
    iothub_certificate_options_init_sized(o, sizeof *o);
}

/**
 * Prepares a certificate that renews itself, and takes the saved one from the cache. A saved value
 * that cannot be used does not fail the call: it is described by iothub_certificate_info.fault, and
 * the client requests a new certificate.
 *
 * One client at a time may use it: the client whose iothub_options.certificate points to it.
 *
 * @param memory      room for it, aligned for any type; it must stay and not move until
 *                    iothub_certificate_deinit
 * @param memory_len  its size in bytes, at least IOTHUB_CERTIFICATE_SIZE
 * @param o           how certificates are requested
 * @param[out] error  the reason for a failure; may be NULL. IOTHUB_ERR_ARG: the text names the
 *                    option; IOTHUB_ERR_UNSUPPORTED: the platform has no identities;
 *                    IOTHUB_ERR_MEMORY: memory_len is too small
 * @return the certificate, at the beginning of memory; NULL after a failure
 */
iothub_certificate *iothub_certificate_init(void *memory, size_t memory_len,
                                            const iothub_certificate_options *o,
                                            iothub_error *error);

/**
 * Releases the certificates and erases keys. End the client first.
 *
 * @param certificate  the certificate; may be NULL
 */
void iothub_certificate_deinit(iothub_certificate *certificate);

/**
 * Renews the certificate now, whatever is left of its life, or ends the wait after a failure. If a
 * request is on its way already, nothing changes. It may be called while the client exists, by the
 * threads that may use the client.
 *
 * @param certificate  the certificate
 */
void iothub_certificate_renew(iothub_certificate *certificate);

/**
 * iothub_certificate_get for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param certificate  as there
 * @param[out] out     as there
 * @param struct_size  sizeof *out of the application
 */
void iothub_certificate_get_sized(const iothub_certificate *certificate,
                                  iothub_certificate_info *out, size_t struct_size);

/**
 * Describes a certificate. It may be called by the threads that may use the client.
 *
 * @param certificate  the certificate
 * @param[out] out     its description; NULL does nothing
 */
static inline void iothub_certificate_get(const iothub_certificate *certificate,
                                          iothub_certificate_info *out)
{
    iothub_certificate_get_sized(certificate, out, sizeof *out);
}

#ifdef __cplusplus
}
#endif
#endif
