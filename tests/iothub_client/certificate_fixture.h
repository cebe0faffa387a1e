#ifndef TEST_CERTIFICATE_FIXTURE_H
#define TEST_CERTIFICATE_FIXTURE_H

/**
 * @file
 * Keys, requests and certificates of a fake issuer, for tests of certificates that renew
 * themselves. A key is the text "key N"; a request contains it; a certificate is a SEQUENCE of DER
 * with the number of its key and its dates.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_platform.h"
#include "iothub/certificate.h"

enum { FAKE_CERTIFICATE_SIZE = 2 + 3 * 8 };

typedef struct fake_issuer {
    plat_csr_maker maker;
    plat_identities identities;
    unsigned keys;      /* number of keys that were made */
    unsigned requests;  /* number of requests */
    unsigned alive;     /* number of identities that exist */
    unsigned fail_key;  /* the key with this number cannot be made; 0: all can */
    bool fail_csr;      /* requests cannot be made */
    bool fail_identity; /* identities cannot be made */
} fake_issuer;

void fake_issuer_init(fake_issuer *i);

/** Writes the certificate for the latest key, or for another one with a key of its own. */
void fake_issuer_put(uint8_t out[FAKE_CERTIFICATE_SIZE], unsigned key, int64_t from_s,
                     int64_t until_s);

/** Writes {"certificates":["..."]} for a certificate. */
void fake_issuer_answer(char *out, size_t cap, const plat_crypto *crypto, unsigned key,
                        int64_t from_s, int64_t until_s);

#endif
