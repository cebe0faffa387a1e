#ifndef IOTHUB_ISSUED_CHAIN_H
#define IOTHUB_ISSUED_CHAIN_H

/**
 * @file
 * Reads the certificates that a service has issued for a request: the member
 * "issuedCertificateChain" of the Device Provisioning Service, and "certificates" of the hub.  Both
 * are arrays with the device's certificate first.  The documentation shows PEM texts, and the
 * service sends DER as base64, so both are accepted.
 */

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "platform/platform.h"

/** Most certificates of a chain; an identity takes no more. */
enum { ISSUED_CHAIN_CERTIFICATES_MAX = 9 };

/** Room for any chain that an identity takes: 16 KB of DER, written as PEM. */
enum { ISSUED_CHAIN_ROOM = 24 * 1024 };

/** A chain that was issued, and the memory for it. */
typedef struct issued_chain {
    uint8_t *bytes;
    size_t cap;
    size_t len; /* 0: there is none */
} issued_chain;

/**
 * Reads a chain.
 * @param array     a JSON array of strings
 * @param crypto    decodes base64
 * @param[out] out  the certificates as DER, one directly after another, as
 *                  plat_identity_config.chain takes them.  The certificates themselves are checked
 *                  when an identity is made
 * @param cap       size of out; it must also have room for the text of the last entry
 * @param[out] len  number of bytes; 0 after a failure
 * @retval IOTHUB_ERR_PROTOCOL  it is no such array, or it is empty
 * @retval IOTHUB_ERR_TOO_BIG   there is no room, or there are too many certificates
 */
iothub_result issued_chain_read(mqc_span array, const plat_crypto *crypto, uint8_t *out, size_t cap,
                                size_t *len, iothub_error *err);

/** Makes an empty chain. With a cap of 0 no certificate was requested, and none is ever taken. */
void issued_chain_init(issued_chain *c, uint8_t *bytes, size_t cap);

/**
 * Takes the certificates of an answer in the place of the earlier ones; the results are those of
 * issued_chain_read. An empty array span, which means that the answer has none, gives an empty
 * chain.
 */
iothub_result issued_chain_take(issued_chain *c, mqc_span array, const plat_crypto *crypto,
                                iothub_error *err);

#endif
