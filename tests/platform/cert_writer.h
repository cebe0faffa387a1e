#ifndef TEST_CERT_WRITER_H
#define TEST_CERT_WRITER_H

/**
 * @file
 * Makes certificates with any extensions, good or bad, from a text of words. (wolfCrypt can write
 * only a few kinds of certificates.) The words are:
 *
 *     ca  ca=0  end        basicConstraints: a CA, a CA with path length 0, not a CA
 *     ca~                  a CA; the extension is not critical
 *     usage=84             keyUsage, first byte of its bits: 80 digitalSignature, 04 keyCertSign
 *     for=server           extKeyUsage: server, client, any, none (an empty list)
 *     dns:a.example        subjectAltName: dns, ip, mail, uri, dir (an organization), id
 *     +dns:example         nameConstraints, permitted; an address as 10.0.0.0/255.0.0.0
 *     -dns:bad.example     nameConstraints, excluded
 *     nc~  nc0  nc+min     nameConstraints that are not critical, empty, or have a minimum
 *     ski=01  aki=01       key identifiers of one byte; aki!=01: critical
 *     akiserial=05         serial number of the authority, with its name
 *     unknown  unknown!    an unknown extension, not critical or critical
 *     policy  policy!      policyConstraints, not critical or critical
 *     policies!            certificatePolicies, critical
 *     twice                the unknown extension a second time
 *     serial=05            serial number in hexadecimal, at most 24 bytes
 *     o=Acme  cn=          an organization; another common name, or none
 *     v1                   version 1, which has no extensions at all
 *     late  early          expired, or not valid yet
 */

#include "test_pki.h"

typedef struct written_cert {
    pki_cert cert;
    byte name[128]; /* the subject as DER, a SEQUENCE */
    size_t name_len;
    pki_key key;
} written_cert;

/**
 * Writes a certificate; with issuer NULL it is self-signed. The words may replace the common name
 * cn.
 */
void write_cert(written_cert *out, const char *cn, pki_key key, const written_cert *issuer,
                const char *words);

#endif
