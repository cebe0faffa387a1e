#ifndef IOTHUB_SAS_H
#define IOTHUB_SAS_H

/**
 * @file
 * Shared access signatures: tokens that prove knowledge of a key until a given second.
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

/** Room for the resource of any identity, and its NUL. */
#define IOTHUB_SAS_RESOURCE_SIZE 544
/** Room for the token of any identity, percent-encoded at its worst, and its NUL. */
#define IOTHUB_SAS_TOKEN_SIZE 1664
/** The longest percent-encoded resource that iothub_sas_verify takes. */
#define IOTHUB_SAS_VERIFY_MAX 2048

/** What a token says. */
typedef struct iothub_sas_grant {
    mqc_span resource; /* as it is, not percent-encoded: "myhub.azure-devices.net/devices/d1" */
    mqc_span key;      /* base64 */
    mqc_span policy;   /* name of the policy that owns the key; empty for device keys */
    uint64_t expiry_s; /* seconds since 1970-01-01 UTC */
} iothub_sas_grant;    /* white space around the texts is ignored */

/**
 * Write a token into out[0..cap), NUL-terminated; *len (may be NULL) is its length.
 * Failure leaves "" behind: IOTHUB_ERR_KEY, IOTHUB_ERR_NO_SPACE, IOTHUB_ERR_ARG
 * for an empty resource, IOTHUB_ERR_CRYPTO.
 */
iothub_result iothub_sas_build(const plat_crypto *crypto, const iothub_sas_grant *grant, char *out,
                               size_t cap, size_t *len, iothub_error *err);

/**
 * The resource that an identity owns: `{host}/devices/{d}`,
 * `{host}/devices/{d}/modules/{m}`, or `{host}` for a service.  NUL-terminated.
 */
iothub_result iothub_sas_resource(const iothub_connection_string *cs, char *out, size_t cap);

/**
 * iothub_sas_build for the identity, key and policy of a connection string, which
 * must hold a key (IOTHUB_ERR_ARG otherwise).
 */
iothub_result iothub_sas_build_for(const plat_crypto *crypto, const iothub_connection_string *cs,
                                   uint64_t expiry_s, char *out, size_t cap, size_t *len,
                                   iothub_error *err);

/** The fields of a token, still percent-encoded; they point into the text parsed. */
typedef struct iothub_sas_token {
    mqc_span resource;    /* sr */
    mqc_span signature;   /* sig */
    mqc_span policy;      /* skn; empty: none */
    mqc_span expiry_text; /* se, as sent */
    uint64_t expiry_s;
} iothub_sas_token;

/**
 * Take a token apart; fields may come in any order.  White space around the token is ignored,
 * inside it is refused.  IOTHUB_ERR_PART_* with a text
 * that names the field.  The signature is not checked, nor is the date.
 */
iothub_result iothub_sas_parse(iothub_sas_token *out, mqc_span text, iothub_error *err);

/**
 * Percent-decode a field of a parsed token into a NUL-terminated text.
 * IOTHUB_ERR_PROTOCOL when it is broken or holds a NUL; "" is left behind then.
 */
iothub_result iothub_sas_decode(mqc_span field, char *out, size_t cap);

/**
 * Was the token made with this key (base64)?  Takes the same time wherever the
 * signatures differ.  IOTHUB_ERR_AUTH: no.  IOTHUB_ERR_KEY: the key is not base64.
 */
iothub_result iothub_sas_verify(const plat_crypto *crypto, const iothub_sas_token *token,
                                mqc_span key, iothub_error *err);

#ifdef __cplusplus
}
#endif
#endif
