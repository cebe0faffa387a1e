#ifndef HUB_CRYPTO_H
#define HUB_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @file The cryptographic functions that the hub needs, from GnuTLS, which libmicrohttpd and the
 * certificates use anyway.
 */

#define HUB_SHA256_SIZE 32

/** Returns standard base64 on one line, on the heap. */
char *hub_base64_encode(const void *data, size_t len);

/**
 * Decodes strictly: the padding is required, white space and unused bits are refused. Returns NULL
 * if the text is not base64.
 */
uint8_t *hub_base64_decode(const char *text, size_t *len);

void hub_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                     uint8_t out[HUB_SHA256_SIZE]);
void hub_random(void *out, size_t len);
/** Returns a new symmetric key: 32 random bytes in base64, on the heap. */
char *hub_random_key(void);
/** Writes a new random UUID in lower case. */
#define HUB_UUID_SIZE 37
void hub_random_uuid(char out[HUB_UUID_SIZE]);
/** Compares in constant time. */
bool hub_same_bytes(const void *a, const void *b, size_t len);

#endif
