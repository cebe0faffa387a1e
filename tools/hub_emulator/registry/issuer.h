#ifndef HUB_ISSUER_H
#define HUB_ISSUER_H

/**
 * @file The emulator's own certificate authority for devices: a root and an intermediate authority
 * that answers certificate signing requests. They are saved in issuer.json.
 */

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "registry/certificate.h"
#include "state/store.h"

struct gnutls_x509_privkey_int;

/** A certificate with its key. */
typedef struct hub_issuer_pair {
    hub_certificate *certificate;
    struct gnutls_x509_privkey_int *key; /* a gnutls_x509_privkey_t */
} hub_issuer_pair;

/** Start with { 0 }. */
typedef struct hub_issuer {
    hub_issuer_pair root;
    hub_issuer_pair intermediate;
} hub_issuer;

/**
 * Reads the authorities, or makes new ones if there are none. Damaged ones are set aside and
 * reported; the certificates that they issued are worthless from then on.
 */
hub_result hub_issuer_open(hub_issuer *i, const hub_store *store, int64_t now_s, hub_fault *fault);
void hub_issuer_close(hub_issuer *i);

/** The certificates of a device, its own first, then the intermediate one and the root. */
#define HUB_ISSUED_COUNT 3

/** Start with { 0 }. The authorities in it belong to the issuer. */
typedef struct hub_issued {
    hub_certificate *items[HUB_ISSUED_COUNT];
} hub_issued;

typedef struct hub_issuer_order {
    const char *request; /* PKCS #10 in base64 or PEM */
    const char *name;    /* the common name that it must have */
    const char *device;  /* the id of the device */
    int64_t life_s;      /* how long the certificate is valid */
} hub_issuer_order;

/**
 * Issues a certificate for a request, with the id of the device as its name. HUB_ERR_ARGUMENT: the
 * request is not for that name. After success, end *out with hub_issued_free.
 */
hub_result hub_issuer_issue(const hub_issuer *i, const hub_issuer_order *order, int64_t now_s,
                            hub_issued *out, hub_fault *fault);
void hub_issued_free(hub_issued *issued);

/** Returns the chain as a JSON array of texts: PEM, or DER in base64. */
cJSON *hub_issued_view(const hub_issued *issued, bool pem);

#endif
