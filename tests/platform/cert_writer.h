#ifndef TEST_CERT_WRITER_H
#define TEST_CERT_WRITER_H

/**
 * @file
 * Certificates with any extension, good or bad, from words.  wolfCrypt writes a few kinds only.
 *
 *     ca  ca=0  end        basicConstraints: CA, with a path length, no CA
 *     ca~                  CA, not critical
 *     usage=84             keyUsage, the first byte of its bits: 80 digitalSignature, 04
 * keyCertSign for=server           extKeyUsage: server, client, any, none (an empty list)
 *     dns:a.example        subjectAltName: dns, ip, mail, uri, dir (an organization), id
 *     +dns:example         nameConstraints, permitted; an address as 10.0.0.0/255.0.0.0
 *     -dns:bad.example     the same, excluded
 *     nc~  nc0  nc+min     constraints are not critical; empty; with a minimum
 *     ski=01  aki=01       key identifiers of one byte; aki!=01: critical
 *     akiserial=05         serial number of the authority, with its name
 *     unknown  unknown!    an unknown extension, not critical and critical
 *     policy  policy!      policyConstraints;  policies!: certificatePolicies
 *     twice                the unknown one once more
 *     serial=05            in hexadecimal, at most 24 bytes
 *     o=Acme  cn=          organization; another, or no, common name
 *     v1                   version 1: no extensions at all
 *     late  early          expired, not valid yet
 */

#include "test_pki.h"

typedef struct written_cert {
    pki_cert cert;
    byte name[128]; /* of the subject: SEQUENCE */
    size_t name_len;
    pki_key key;
} written_cert;

/** issuer NULL: self-signed.  The words may change cn. */
void write_cert(written_cert *out, const char *cn, pki_key key, const written_cert *issuer,
                const char *words);

#endif
