#ifndef PLAT_WOLFSSL_HOST_NAME_H
#define PLAT_WOLFSSL_HOST_NAME_H

/**
 * @file
 * Is a certificate's subjectAltName meant for this host (RFC 9525)?  Whole-label
 * wildcards, leftmost only; IP addresses by their bytes; never the common name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAT_HOST_NAME_MAX 253 /* without the dot that may end it */

typedef struct plat_host {
    size_t ip_len; /* 4 or 16: the host is an address; 0: it is a name */
    uint8_t ip[16];
    char name[PLAT_HOST_NAME_MAX + 1]; /* as given, without a trailing dot */
} plat_host;

/** False when text can be neither a host name nor an address. */
bool plat_host_parse(plat_host *h, const char *text);

/** Labels of letters, digits, hyphens and underscores, joined by dots; no dot at the end. */
bool plat_host_is_name(const void *text, size_t len);

/** A dNSName entry as it stands in the certificate; it may hold any byte.  One with a dot at its
 *  end is no host name there (RFC 5280 section 4.2.1.6) and matches nothing. */
bool plat_host_matches_dns(const plat_host *h, const void *san, size_t len);

/** An iPAddress entry: four or sixteen bytes, or it matches nothing. */
bool plat_host_matches_ip(const plat_host *h, const void *san, size_t len);

#endif
