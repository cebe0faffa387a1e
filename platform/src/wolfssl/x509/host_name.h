#ifndef PLAT_WOLFSSL_HOST_NAME_H
#define PLAT_WOLFSSL_HOST_NAME_H

/**
 * @file
 * Compares the names in a certificate's subjectAltName with a host (RFC 9525).  A wildcard stands
 * for exactly one whole label, the leftmost one.  IP addresses are compared by their bytes.  The
 * common name is never used.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAT_HOST_NAME_MAX 253 /* most characters, without a final dot */

/** The host that a connection is meant for. */
typedef struct plat_host {
    size_t ip_len; /* 4 or 16 if the host is an address, 0 if it is a name */
    uint8_t ip[16];
    char name[PLAT_HOST_NAME_MAX + 1]; /* the name as it was given, without a trailing dot */
} plat_host;

/** Parses a host name or an address. Returns false if text is neither. */
bool plat_host_parse(plat_host *h, const char *text);

/**
 * Returns whether a text consists of labels joined by dots, without a final dot. A label consists
 * of letters, digits, hyphens and underscores.
 */
bool plat_host_is_name(const void *text, size_t len);

/**
 * Returns whether a dNSName of a certificate names the host. san may contain any byte. A dNSName
 * with a final dot is not a host name (RFC 5280 section 4.2.1.6) and matches nothing.
 */
bool plat_host_matches_dns(const plat_host *h, const void *san, size_t len);

/**
 * Returns whether an iPAddress of a certificate is the host. One that has neither 4 nor 16 bytes
 * matches nothing.
 */
bool plat_host_matches_ip(const plat_host *h, const void *san, size_t len);

#endif
