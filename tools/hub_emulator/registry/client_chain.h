#ifndef HUB_CLIENT_CHAIN_H
#define HUB_CLIENT_CHAIN_H

/**
 * @file The certificates that a client has shown in its TLS handshake, its own first, and the
 * verdict on them. TLS has already proven that the client has the key of the first one; nothing
 * else was checked.
 */

#include "registry/certificate.h"

/** Longest chain that is read. */
#define HUB_CHAIN_MAX 10

/** Start with { 0 }: the client showed none. */
typedef struct hub_client_chain {
    hub_certificate *items[HUB_CHAIN_MAX]; /* items[0] is the client's own */
    size_t count;
} hub_client_chain;

/**
 * Reads certificates as the TLS front passes them on: DER in base64, separated by commas; "" is an
 * empty chain. A failure (HUB_ERR_ARGUMENT) leaves an empty chain.
 */
hub_result hub_client_chain_read(hub_client_chain *chain, const char *text, size_t len,
                                 hub_fault *fault);
/** Makes *copy a chain of its own with the same certificates. from may be NULL: none. */
void hub_client_chain_copy(hub_client_chain *copy, const hub_client_chain *from);
void hub_client_chain_free(hub_client_chain *chain);

/**
 * The rule of devices that are registered by thumbprint: the client's own certificate has one of
 * the two (either may be NULL), and is within its dates. Who signed it, and for which name, does
 * not matter. HUB_ERR_UNAUTHORIZED otherwise.
 */
hub_result hub_client_chain_check_thumbprint(const hub_client_chain *chain, const char *primary,
                                             const char *secondary, int64_t now_s,
                                             hub_fault *fault);

/**
 * The rule of devices that are registered by CA: a path leads from the client's own certificate,
 * over others of the chain, to one of the authorities, with valid signatures, constraints and
 * dates. The caller checks the name (items[0]->name). HUB_ERR_UNAUTHORIZED otherwise; *anchor, if
 * anchor is not NULL, becomes the index of the authority that the path ended in.
 */
hub_result hub_client_chain_check_path(const hub_client_chain *chain,
                                       hub_certificate *const *authorities, size_t count,
                                       int64_t now_s, size_t *anchor, hub_fault *fault);

#endif
