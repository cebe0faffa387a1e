#include "wolfssl/x509/certificate.h"

/* Reads [0] EXPLICIT INTEGER DEFAULT v1. DER omits the default value v1. */
static bool take_version(plat_der *in, uint8_t *version)
{
    plat_der content;
    bool found;
    uint32_t number = 0;
    if (!plat_der_take_optional(in, PLAT_DER_CONTEXT_CONSTRUCTED, &content, &found)) {
        return false;
    }
    if (found && (!plat_der_take_unsigned(&content, PLAT_DER_INTEGER, &number) ||
                  content.len != 0 || number < 1 || number > 2)) {
        return false;
    }
    *version = (uint8_t)(number + 1);
    return true;
}

/* Reads the serial number. Zero, negative and long ones must be accepted (RFC 5280 section
 * 4.1.2.2). */
static bool take_serial(plat_der *in, plat_certificate *c)
{
    return plat_der_take(in, PLAT_DER_INTEGER, &c->serial) && plat_der_is_integer(c->serial);
}

static bool take_name(plat_der *in, plat_der *name, uint32_t *hash)
{
    if (!plat_der_take(in, PLAT_DER_SEQUENCE, name) || !plat_name_is_sound(*name)) {
        return false;
    }
    *hash = plat_name_hash(*name);
    return true;
}

static bool take_validity(plat_der *in, plat_certificate *c)
{
    plat_der both;
    return plat_der_take(in, PLAT_DER_SEQUENCE, &both) &&
           plat_der_take_time(&both, &c->not_before) && plat_der_take_time(&both, &c->not_after) &&
           both.len == 0;
}

static bool take_key(plat_der *in, plat_certificate *c)
{
    plat_der_item key;
    if (!plat_der_next(in, &key) || key.tag != PLAT_DER_SEQUENCE) {
        return false;
    }
    c->key = key.whole;
    return true;
}

/* Skips issuerUniqueID and subjectUniqueID, which are not used. */
static bool skip_unique_ids(plat_der *in, uint8_t version)
{
    plat_der content;
    bool found;
    for (uint8_t number = 1; number <= 2; number++) {
        if (!plat_der_take_optional(in, (uint8_t)(PLAT_DER_CONTEXT + number), &content, &found) ||
            (found && version < 2)) {
            return false;
        }
    }
    return true;
}

/* Checks the rules of RFC 5280 about several fields together: sections 4.1.2.4, 4.1.2.6,
 * 4.2.1.3, 4.2.1.10. */
static const char *contradiction(const plat_certificate *c)
{
    const plat_extensions *x = &c->extensions;
    if (c->issuer.len == 0) {
        return "a certificate of the chain has no issuer";
    }
    if (c->subject.len == 0 && (x->is_ca || !x->alt_names_are_critical)) {
        return "a certificate of the chain has no subject";
    }
    if (x->has_usage && (x->usage & PLAT_USAGE_KEY_CERT_SIGN) != 0 && !x->is_ca) {
        return "a certificate of the chain is used to sign others, but is not a CA";
    }
    if (x->has_constraints && !x->is_ca) {
        return "a certificate of the chain has name constraints, but is not a CA";
    }
    return NULL;
}

static bool take_extensions(plat_der *in, plat_certificate *c)
{
    plat_der outer, list;
    bool found;
    if (!plat_der_take_optional(in, PLAT_DER_CONTEXT_CONSTRUCTED + 3, &outer, &found)) {
        return false;
    }
    list = outer; /* empty if there are none */
    if (found && (c->version < 3 || !plat_der_take(&outer, PLAT_DER_SEQUENCE, &list) ||
                  outer.len != 0 || list.len == 0)) {
        return false;
    }
    c->flaw = plat_extensions_read(&c->extensions, list);
    if (c->flaw == NULL) {
        c->flaw = contradiction(c);
    }
    return true;
}

/* Reads TBSCertificate. *algorithm is the signature algorithm that it names. */
static bool read_body(plat_certificate *c, plat_der in, plat_der *algorithm)
{
    return take_version(&in, &c->version) && take_serial(&in, c) &&
           plat_der_take(&in, PLAT_DER_SEQUENCE, algorithm) &&
           take_name(&in, &c->issuer, &c->issuer_hash) && take_validity(&in, c) &&
           take_name(&in, &c->subject, &c->subject_hash) && take_key(&in, c) &&
           skip_unique_ids(&in, c->version) && take_extensions(&in, c) && in.len == 0;
}

bool plat_certificate_read(plat_certificate *c, plat_der der)
{
    plat_der in, inner, outer;
    plat_der_item body;
    *c = (plat_certificate){ .whole = der };
    if (!plat_der_take(&der, PLAT_DER_SEQUENCE, &in) || der.len != 0 ||
        !plat_der_next(&in, &body) || body.tag != PLAT_DER_SEQUENCE ||
        !plat_der_take(&in, PLAT_DER_SEQUENCE, &outer) ||
        !plat_der_take_bytes(&in, &c->proof.signature) || in.len != 0) {
        return false;
    }
    c->proof.bytes = body.whole;
    c->proof.algorithm = plat_algorithm_read(outer);
    return read_body(c, body.content, &inner) && plat_der_equals(inner, outer);
}

bool plat_certificate_is_self_issued(const plat_certificate *c)
{
    return c->issuer_hash == c->subject_hash && plat_name_equals(c->issuer, c->subject);
}

/* Returns whether the authority is the issuer. Only the first distinguished name in
 * authorityCertIssuer counts. */
static bool names_authority(plat_der names, plat_der issuer)
{
    plat_general_name name;
    while (names.len > 0 && plat_general_next(&names, &name)) {
        if (name.kind == PLAT_GENERAL_DIRECTORY) {
            return plat_name_equals(name.value, issuer);
        }
    }
    return true;
}

bool plat_certificate_names_issuer(const plat_certificate *child, const plat_certificate *parent)
{
    if (child->issuer_hash != parent->subject_hash ||
        !plat_name_equals(child->issuer, parent->subject)) {
        return false;
    }
    if (child->extensions.authority_key_id.len > 0 && parent->extensions.key_id.len > 0 &&
        !plat_der_equals(child->extensions.authority_key_id, parent->extensions.key_id)) {
        return false;
    }
    if (child->extensions.authority_serial.len > 0 &&
        !plat_der_equals(child->extensions.authority_serial, parent->serial)) {
        return false;
    }
    return names_authority(child->extensions.authority_issuer, parent->issuer);
}
