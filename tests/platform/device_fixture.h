#ifndef TEST_DEVICE_FIXTURE_H
#define TEST_DEVICE_FIXTURE_H

/**
 * @file
 * Makes certificates of devices for each kind of key at run time: a root, an intermediate CA and
 * devices.
 */

#include "platform/identity.h"
#include "test_pki.h"

/** The kinds of device keys: the key in test_pki.h and the name of its kind. */
typedef struct device_kind {
    pki_key key;
    plat_key_kind kind;
    const char *name;
} device_kind;

#define DEVICE_KINDS 3
extern const device_kind device_kinds[DEVICE_KINDS];

extern pki_cert device_root;
extern pki_cert device_ca;                  /* issued by device_root */
extern pki_cert device_certs[DEVICE_KINDS]; /* issued by device_ca; the common name is "device-1" */

/** Makes the certificates. The keys of test_pki.h must exist. */
void make_devices(void);

/** Returns the description of a certificate like that of a device, which the test may change. */
pki_spec device_spec(size_t kind);

/** Writes certificates as one PEM text; returns its length. */
size_t device_pem(char *out, size_t cap, const pki_cert *const *certs, size_t count);

/** Writes certificates one directly after another as DER; returns the number of bytes. */
size_t device_der(uint8_t *out, size_t cap, const pki_cert *const *certs, size_t count);

/** Makes an identity from a chain of count certificates and a key; fails the test if it cannot. */
plat_identity *device_identity(const pki_cert *const *certs, size_t count, pki_key key);

/** Does the same with the chain of a kind: the device's and the intermediate certificate. */
plat_identity *device_identity_of(size_t kind);

/** A signer with one of the keys. It counts its calls and can fail. */
typedef struct test_signer {
    plat_signer base;
    pki_key key;
    plat_result result; /* if it is not PLAT_OK, signing fails with this result */
    const char *why;    /* the text of that failure; NULL: none */
    unsigned signatures;
    unsigned releases;
    plat_sign_request last; /* the last request; its digest is no longer valid */
} test_signer;

void test_signer_init(test_signer *s, pki_key key);

#endif
