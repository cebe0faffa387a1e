#ifndef HUB_AUTHORITIES_H
#define HUB_AUTHORITIES_H

/**
 * @file The CAs whose certificates the hub accepts from devices with the authentication type
 * certificateAuthority: the emulator's own, and those that were registered, which are in
 * authorities.json.
 */

#include "registry/certificate.h"
#include "state/store.h"

/** Largest number of CAs, as at the real hub. */
#define HUB_AUTHORITIES_MAX 25

/** Start with { 0 }. */
typedef struct hub_authorities {
    hub_certificate **items;
    size_t count;
    /* Number of certificates at the beginning that belong to the emulator and are in no file. */
    size_t own;
} hub_authorities;

/** Reads authorities.json, and ca.crt, the emulator's own, where it exists. */
hub_result hub_authorities_open(hub_authorities *a, const hub_store *store, hub_fault *fault);
void hub_authorities_free(hub_authorities *a);

/** Adds a CA of the emulator itself, which the list owns from here on. */
void hub_authorities_add_own(hub_authorities *a, hub_certificate *ca);
/**
 * Registers a CA (PEM, or DER in base64) and writes the file. *out is the certificate, which
 * belongs to the list. A CA that is registered already is not added again. HUB_ERR_ARGUMENT: it is
 * not a CA, or there are too many.
 */
hub_result hub_authorities_add(hub_authorities *a, const hub_store *store, const char *text,
                               const hub_certificate **out, hub_fault *fault);
/** Removes a registered CA by one of its thumbprints. HUB_ERR_NO_RESOURCE: there is none. */
hub_result hub_authorities_remove(hub_authorities *a, const hub_store *store,
                                  const char *thumbprint, hub_fault *fault);

#endif
