#ifndef HUB_KEY_PAIR_H
#define HUB_KEY_PAIR_H

/** @file A certificate with its private key: in files of the state directory, and while it is made.
 */

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "state/store.h"

typedef struct hub_pair {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} hub_pair;

typedef enum hub_pair_kind { HUB_PAIR_RSA = 0, HUB_PAIR_EC } hub_pair_kind;

void hub_pair_init(hub_pair *p);
void hub_pair_deinit(hub_pair *p);

/** Returns HUB_ERR_STATE, with the text of an error code of GnuTLS. */
hub_result hub_pair_failed(hub_fault *fault, const char *what, int code);
/** Keeps the first failure in *code, so that the code that builds a certificate needs no branches.
 */
void hub_pair_step(int *code, int result);
/** Makes a key (RSA of 2048 bits, or on P-256) and the fields that all certificates have. */
int hub_pair_fields(const hub_pair *p, hub_pair_kind kind, const char *name, int64_t now_s,
                    int days);
/** Writes NAME.key and NAME.crt. */
hub_result hub_pair_save(const hub_store *store, const char *name, const hub_pair *p,
                         hub_fault *fault);

/* These functions check what a file contains. A file that is damaged or does not fit is set aside.
 */

bool hub_pair_has_crt(const hub_store *store, const char *name, const hub_pair *p);
bool hub_pair_has_key(const hub_store *store, const char *name, const hub_pair *p);
/** Returns whether the key belongs to the certificate; name is that of the key. */
bool hub_pair_key_fits(const hub_store *store, const char *name, const hub_pair *p);
/** Checks the signature, because a certificate with a changed bit may still be readable. */
bool hub_pair_signed_by(const hub_store *store, const char *name, gnutls_x509_crt_t crt,
                        const hub_pair *ca);
/** Returns whether the certificate is valid now and for some more days. */
bool hub_pair_good_for_now(gnutls_x509_crt_t crt, int64_t now_s);

#endif
