#ifndef PLAT_WOLFSSL_ROOTS_H
#define PLAT_WOLFSSL_ROOTS_H

/**
 * @file
 * The trusted certificates of one PEM file.  They are kept as they are, with the hash of
 * their names: a handshake needs one or two of them, so only those are ever read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>

#include "platform/result.h"

typedef struct plat_root {
    uint32_t subject_hash; /* plat_name_hash */
    DerBuffer *der;
} plat_root;

typedef struct plat_roots {
    plat_root *list;
    size_t count;
} plat_roots;

/** Which file is at fault, and why: static text.  NULL: it is no file. */
typedef struct plat_roots_fault {
    const char *file;
    const char *why;
} plat_roots_fault;

/** PLAT_ERR_TRUST_STORE when the file cannot be read or holds no certificate: *why, for people. */
plat_result plat_roots_load(plat_roots *r, const char *file, const char **why);

/** The same from PEM text in memory, which is not needed afterwards. */
plat_result plat_roots_load_pem(plat_roots *r, const void *pem, size_t len);
void plat_roots_free(plat_roots *r);

#ifndef NDEBUG
/** Whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_roots_valid(const plat_roots *r);
#endif

#endif
