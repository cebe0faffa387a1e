#include "wolfssl/x509/extensions.h"

#include "wolfssl/x509/name.h"

#define MOST 32 /* most extensions of one certificate; usual ones have about ten */

/* The last numbers of the object identifiers 2.5.29.x. */
enum {
    SUBJECT_KEY_ID = 14,
    KEY_USAGE = 15,
    ALT_NAMES = 17,
    BASIC_CONSTRAINTS = 19,
    NAME_CONSTRAINTS = 30,
    CERTIFICATE_POLICIES = 32,
    POLICY_MAPPINGS = 33,
    AUTHORITY_KEY_ID = 35,
    POLICY_CONSTRAINTS = 36,
    EXTENDED_KEY_USAGE = 37,
    INHIBIT_ANY_POLICY = 54
};

#define CE_ARC      "\x55\x1d"
#define SERVER_AUTH "\x2b\x06\x01\x05\x05\x07\x03\x01"
#define ANY_PURPOSE "\x55\x1d\x25\x00"
#define INFO_ACCESS "\x2b\x06\x01\x05\x05\x07\x01\x01"

typedef struct extension {
    plat_der oid;
    bool critical;
    plat_der value;
} extension;

static bool take_extension(plat_der *in, extension *e)
{
    plat_der content;
    return plat_der_take(in, PLAT_DER_SEQUENCE, &content) &&
           plat_der_take(&content, PLAT_DER_OID, &e->oid) &&
           plat_der_take_flag(&content, &e->critical) &&
           plat_der_take(&content, PLAT_DER_OCTET_STRING, &e->value) && content.len == 0;
}

static bool take_list(plat_der value, plat_der *content)
{
    return plat_der_take(&value, PLAT_DER_SEQUENCE, content) && value.len == 0;
}

static bool read_basic_constraints(plat_extensions *x, plat_der value)
{
    plat_der in;
    if (!take_list(value, &in) || !plat_der_take_flag(&in, &x->is_ca)) {
        return false;
    }
    x->has_path_len = in.len > 0;
    return !x->has_path_len ||
           (plat_der_take_unsigned(&in, PLAT_DER_INTEGER, &x->path_len) && in.len == 0);
}

static bool read_usage(plat_extensions *x, plat_der value)
{
    x->has_usage = true;
    return plat_der_take_bits(&value, &x->usage) && value.len == 0;
}

static bool read_purposes(plat_extensions *x, plat_der value)
{
    plat_der in, oid;
    x->has_purposes = true;
    if (!take_list(value, &in) || in.len == 0) {
        return false;
    }
    while (in.len > 0) {
        if (!plat_der_take(&in, PLAT_DER_OID, &oid)) {
            return false;
        }
        bool fits = plat_der_is(oid, SERVER_AUTH) || plat_der_is(oid, ANY_PURPOSE);
        x->is_for_servers = x->is_for_servers || fits;
    }
    return true;
}

static bool read_alt_names(plat_extensions *x, plat_der value)
{
    plat_general_name name;
    x->has_alt_names = true;
    if (!take_list(value, &x->alt_names) || x->alt_names.len == 0) {
        return false;
    }
    for (plat_der in = x->alt_names; in.len > 0;) {
        if (!plat_general_next(&in, &name) ||
            (name.kind == PLAT_GENERAL_IP && name.value.len != 4 && name.value.len != 16)) {
            return false;
        }
    }
    return true;
}

static bool read_key_id(plat_extensions *x, plat_der value)
{
    return plat_der_take(&value, PLAT_DER_OCTET_STRING, &x->key_id) && value.len == 0;
}

static bool read_authority(plat_extensions *x, plat_der value)
{
    plat_der in;
    plat_general_name name;
    bool found;
    if (!take_list(value, &in) ||
        !plat_der_take_optional(&in, PLAT_DER_CONTEXT + 0, &x->authority_key_id, &found) ||
        !plat_der_take_optional(&in, PLAT_DER_CONTEXT_CONSTRUCTED + 1, &x->authority_issuer,
                                &found) ||
        !plat_der_take_optional(&in, PLAT_DER_CONTEXT + 2, &x->authority_serial, &found)) {
        return false;
    }
    for (plat_der names = x->authority_issuer; names.len > 0;) {
        if (!plat_general_next(&names, &name)) {
            return false;
        }
    }
    return in.len == 0;
}

/* Checks authority information access (1.3.6.1.5.5.7.1.1), which is not used. */
static bool is_sound_access(plat_der value)
{
    plat_der in, one, oid;
    plat_general_name name;
    if (!take_list(value, &in) || in.len == 0) {
        return false;
    }
    while (in.len > 0) {
        if (!plat_der_take(&in, PLAT_DER_SEQUENCE, &one) ||
            !plat_der_take(&one, PLAT_DER_OID, &oid) || !plat_general_next(&one, &name) ||
            one.len != 0) {
            return false;
        }
    }
    return true;
}

static bool read_constraints(plat_extensions *x, plat_der value)
{
    x->has_constraints = true;
    return take_list(value, &x->constraints);
}

/* Returns the last number of an identifier 2.5.29.x, or 0 if it is a different identifier. */
static uint8_t ce_number(plat_der oid)
{
    const plat_der arc = { oid.at, oid.len == 3 ? 2 : 0 };
    return plat_der_is(arc, CE_ARC) ? oid.at[2] : 0;
}

/* Reads one extension. About policies: the client requires none, so the initial set is
 * any-policy. Because policyConstraints are refused, no policy is ever required (RFC 5280
 * section 6.1.5 (g)). So the other three extensions about policies cannot change the verdict. */
static const char *read_one(plat_extensions *x, const extension *e)
{
    bool ok;
    switch (ce_number(e->oid)) {
    case BASIC_CONSTRAINTS: ok = read_basic_constraints(x, e->value); break;
    case KEY_USAGE: ok = read_usage(x, e->value); break;
    case EXTENDED_KEY_USAGE: ok = read_purposes(x, e->value); break;
    case ALT_NAMES:
        x->alt_names_are_critical = e->critical;
        ok = read_alt_names(x, e->value);
        break;
    case NAME_CONSTRAINTS: ok = read_constraints(x, e->value); break;
    case SUBJECT_KEY_ID: ok = read_key_id(x, e->value) && !e->critical; break;
    case AUTHORITY_KEY_ID: ok = read_authority(x, e->value) && !e->critical; break;
    case CERTIFICATE_POLICIES:
    case POLICY_MAPPINGS:
    case INHIBIT_ANY_POLICY: return NULL;
    case POLICY_CONSTRAINTS: return "a certificate of the chain has policy constraints";
    default:
        ok = !plat_der_is(e->oid, INFO_ACCESS) || is_sound_access(e->value);
        if (!ok) {
            break;
        }
        return e->critical ? "a certificate of the chain has an unknown critical extension" : NULL;
    }
    return ok ? NULL : "a certificate of the chain has a malformed extension";
}

static bool is_repeated(const plat_der *seen, size_t count, plat_der oid)
{
    for (size_t i = 0; i < count; i++) {
        if (plat_der_equals(seen[i], oid)) {
            return true;
        }
    }
    return false;
}

const char *plat_extensions_read(plat_extensions *x, plat_der list)
{
    plat_der seen[MOST];
    extension e;
    *x = (plat_extensions){ 0 };
    for (size_t count = 0; list.len > 0; count++) {
        if (count == MOST || !take_extension(&list, &e)) {
            return "a certificate of the chain has malformed extensions, or far too many";
        }
        if (is_repeated(seen, count, e.oid)) {
            return "a certificate of the chain has an extension twice";
        }
        seen[count] = e.oid;
        const char *flaw = read_one(x, &e);
        if (flaw != NULL) {
            return flaw;
        }
    }
    return NULL;
}
