#ifndef PLAT_WOLFSSL_ROOTS_H
#define PLAT_WOLFSSL_ROOTS_H

/**
 * @file
 * The trusted certificates of a stream.  They are kept as DER with the hashes of their names.
 * A handshake needs one or two of them, so only those are parsed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>

#include "platform/result.h"

/** One trusted certificate. */
typedef struct plat_root {
    uint32_t subject_hash; /* computed by plat_name_hash */
    DerBuffer *der;
} plat_root;

/** All trusted certificates. Only roots.c writes the members. */
typedef struct plat_roots {
    plat_root *list;
    size_t count;
} plat_roots;

/** The reason why roots could not be loaded. */
typedef struct plat_roots_fault {
    /* Describes in words what was loaded; NULL if the name of the file is enough. */
    const char *source;
    const char *file; /* NULL: the fault is not in a file */
    const char *why;  /* one line of static text */
} plat_roots_fault;

/**
 * Adds the certificates of a PEM file.  r is empty at first, all zero.
 * @param[out] why  after a failure: the reason, one line of static text
 * @retval PLAT_ERR_TRUST_STORE  the file cannot be read, or it contains no certificate
 * @retval PLAT_ERR_MEMORY       no memory is left; some may have been added
 */
plat_result plat_roots_add_file(plat_roots *r, const char *file, const char **why);

/** Adds certificates in memory: PEM text, or DER certificates one directly after another.  They are
 * not needed afterwards.  Fails as plat_roots_add_file does. */
plat_result plat_roots_add(plat_roots *r, const void *bytes, size_t len, const char **why);

/** Frees all certificates.  r is empty then. */
void plat_roots_free(plat_roots *r);

#ifndef NDEBUG
/** Returns whether the members agree with each other; see "valid check" in CONTRIBUTING.md. */
bool plat_roots_valid(const plat_roots *r);
#endif

#endif
