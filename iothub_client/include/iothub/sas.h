#ifndef IOTHUB_SAS_H
#define IOTHUB_SAS_H

/**
 * @file
 * Shared access signatures (SAS): tokens which prove that their maker knew a key. Each token is
 * valid until the second that it names.
 *
 * The client makes its own tokens. These functions are for programs that make or check tokens
 * themselves.
 */

#include <stddef.h>
#include <stdint.h>

#include "iothub/connection_string.h"
#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that hold the resource of any identity, with the NUL. */
#define IOTHUB_SAS_RESOURCE_SIZE 544
/** Bytes that hold the token of any identity, with the NUL, even if every byte of it must be
 * percent-encoded. */
#define IOTHUB_SAS_TOKEN_SIZE 1664
/** Longest percent-encoded resource, in bytes, that iothub_sas_verify accepts. */
#define IOTHUB_SAS_VERIFY_MAX 2048

/** What a token is to grant. White space around the texts is ignored. The struct does not grow. */
typedef struct iothub_sas_grant {
    mqc_span resource; /**< What the token gives access to, not percent-encoded, e.g.
                            "myhub.azure-devices.net/devices/d1". */
    mqc_span key;      /**< The key that signs the token, in base64. */
    mqc_span policy;   /**< Name of the policy that owns the key; empty for the key of a device. */
    uint64_t expiry_s; /**< End of the token's validity, in seconds since 1970-01-01 UTC. */
} iothub_sas_grant;

/**
 * Makes a SAS token.
 *
 * A failure leaves the empty text in out, except IOTHUB_ERR_ARG for a NULL pointer, which leaves
 * it unchanged.
 *
 * @param crypto    the platform's cryptography
 * @param grant     what the token grants
 * @param[out] out  the token, NUL-terminated
 * @param cap       size of out in bytes; IOTHUB_SAS_TOKEN_SIZE is always enough for an identity
 * @param[out] len  length of the token without the NUL; may be NULL; set on success only
 * @param[out] err  the reason for a failure; may be NULL
 * @retval IOTHUB_ERR_KEY       the key is empty, not base64, or longer than IOTHUB_KEY_MAX
 * @retval IOTHUB_ERR_NO_SPACE  cap is too small
 * @retval IOTHUB_ERR_ARG       the resource is empty, or crypto, grant or out is NULL
 * @retval IOTHUB_ERR_CRYPTO    the crypto library failed
 */
iothub_result iothub_sas_build(const plat_crypto *crypto, const iothub_sas_grant *grant, char *out,
                               size_t cap, size_t *len, iothub_error *err);

/**
 * iothub_sas_resource for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param cs           as there
 * @param struct_size  sizeof *cs of the application
 * @param[out] out     as there
 * @param cap          as there
 * @retval IOTHUB_ERR_UNSUPPORTED  a field is set that this version does not know
 * @return otherwise as there
 */
iothub_result iothub_sas_resource_sized(const iothub_connection_string *cs, size_t struct_size,
                                        char *out, size_t cap);

/**
 * Writes the name of the resource that an identity owns: `{host}/devices/{d}` for a device,
 * `{host}/devices/{d}/modules/{m}` for a module, `{host}` for a service.
 *
 * @param cs        the identity
 * @param[out] out  the resource, not percent-encoded, NUL-terminated; empty after a failure
 * @param cap       size of out in bytes; IOTHUB_SAS_RESOURCE_SIZE is always enough
 * @retval IOTHUB_ERR_NO_SPACE  cap is too small
 * @retval IOTHUB_ERR_ARG       cs or out is NULL
 */
static inline iothub_result iothub_sas_resource(const iothub_connection_string *cs, char *out,
                                                size_t cap)
{
    return iothub_sas_resource_sized(cs, sizeof *cs, out, cap);
}

/**
 * iothub_sas_build_for for a struct of any size; see "Sizes of structs" in iothub/client.h.
 *
 * @param crypto       as there
 * @param cs           as there
 * @param struct_size  sizeof *cs of the application
 * @param expiry_s     as there
 * @param[out] out     as there
 * @param cap          as there
 * @param[out] len     as there
 * @param[out] err     as there
 * @retval IOTHUB_ERR_UNSUPPORTED  a field is set that this version does not know
 * @return otherwise as there
 */
iothub_result iothub_sas_build_for_sized(const plat_crypto *crypto,
                                         const iothub_connection_string *cs, size_t struct_size,
                                         uint64_t expiry_s, char *out, size_t cap, size_t *len,
                                         iothub_error *err);

/**
 * Makes a SAS token for the identity, key and policy of a connection string.
 *
 * @param crypto    the platform's cryptography
 * @param cs        the identity; it must contain a key
 * @param expiry_s  end of the token's validity, in seconds since 1970-01-01 UTC
 * @param[out] out  the token, NUL-terminated; see iothub_sas_build
 * @param cap       size of out in bytes; IOTHUB_SAS_TOKEN_SIZE is always enough
 * @param[out] len  length of the token without the NUL; may be NULL; set on success only
 * @param[out] err  the reason for a failure; may be NULL
 * @retval IOTHUB_ERR_ARG  the connection string contains no key, or a pointer is NULL
 * @return any other result of iothub_sas_build
 */
static inline iothub_result iothub_sas_build_for(const plat_crypto *crypto,
                                                 const iothub_connection_string *cs,
                                                 uint64_t expiry_s, char *out, size_t cap,
                                                 size_t *len, iothub_error *err)
{
    return iothub_sas_build_for_sized(crypto, cs, sizeof *cs, expiry_s, out, cap, len, err);
}

/**
 * The fields of a token. The spans point into the text that was parsed and are still
 * percent-encoded; iothub_sas_decode decodes them. The struct does not grow.
 */
typedef struct iothub_sas_token {
    mqc_span resource;    /**< Field sr: what the token gives access to. */
    mqc_span signature;   /**< Field sig. */
    mqc_span policy;      /**< Field skn: name of the policy that owns the key; empty: none. */
    mqc_span expiry_text; /**< Field se as written, since the signature covers its digits. */
    uint64_t expiry_s;    /**< Field se as a number: seconds since 1970-01-01 UTC. */
} iothub_sas_token;

/**
 * Splits a token into its fields, which may be in any order. White space around the token is
 * ignored; inside the token it is an error.
 *
 * Neither the signature nor the date is checked; see iothub_sas_verify.
 *
 * @param[out] out  filled on success, unchanged on failure; its spans point into text
 * @param text      the token, from "SharedAccessSignature" on
 * @param[out] err  names the field at fault; may be NULL
 * @retval IOTHUB_ERR_PART_MISSING    a required field is missing
 * @retval IOTHUB_ERR_PART_DUPLICATE  a field is given twice
 * @retval IOTHUB_ERR_PART_EMPTY      a field has no value
 * @retval IOTHUB_ERR_PART_UNKNOWN    a field has an unknown name
 * @retval IOTHUB_ERR_PART_INVALID    a value is not valid, or text is not a SAS token at all
 * @retval IOTHUB_ERR_ARG             out or the pointer of text is NULL
 */
iothub_result iothub_sas_parse(iothub_sas_token *out, mqc_span text, iothub_error *err);

/**
 * Percent-decodes a field of a parsed token.
 *
 * @param field     a span of an iothub_sas_token
 * @param[out] out  the decoded text, NUL-terminated; empty after a failure
 * @param cap       size of out in bytes
 * @retval IOTHUB_ERR_PROTOCOL  the percent-encoding is broken, or the text contains a NUL
 * @retval IOTHUB_ERR_NO_SPACE  cap is too small
 * @retval IOTHUB_ERR_ARG       out or the pointer of field is NULL
 */
iothub_result iothub_sas_decode(mqc_span field, char *out, size_t cap);

/**
 * Checks whether a token was signed with this key. The comparison takes the same time wherever the
 * signatures differ. The date of expiry is not checked.
 *
 * @param crypto    the platform's cryptography
 * @param token     a parsed token
 * @param key       the key, in base64
 * @param[out] err  the reason for a failure; may be NULL
 * @retval IOTHUB_OK           the token was signed with this key
 * @retval IOTHUB_ERR_AUTH     it was not
 * @retval IOTHUB_ERR_KEY      the key is empty, not base64, or longer than IOTHUB_KEY_MAX
 * @retval IOTHUB_ERR_TOO_BIG  the resource is longer than IOTHUB_SAS_VERIFY_MAX
 * @retval IOTHUB_ERR_ARG      crypto or token is NULL
 * @retval IOTHUB_ERR_CRYPTO   the crypto library failed
 */
iothub_result iothub_sas_verify(const plat_crypto *crypto, const iothub_sas_token *token,
                                mqc_span key, iothub_error *err);

#ifdef __cplusplus
}
#endif
#endif
