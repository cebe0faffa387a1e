#include "chain_make.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>

#include "chain_der.h"
#include "chain_keys.h"
#include "chain_words.h"

#define CRITICAL true

static void put_directory_name(chain_der *d, uint8_t name)
{
    size_t sequence = der_open(d, 0x30);
    for (size_t i = 0; i < PLAN_RDNS && plan_directory_names[name][i].type != 0; i++) {
        const plan_rdn *rdn = &plan_directory_names[name][i];
        const uint8_t oid[] = { 0x55, 0x04, (uint8_t)rdn->type };
        size_t set = der_open(d, 0x31);
        size_t pair = der_open(d, 0x30);
        der_put(d, 0x06, oid, sizeof oid);
        der_put(d, rdn->tag, rdn->text, strlen(rdn->text));
        der_close(d, pair);
        der_close(d, set);
    }
    der_close(d, sequence);
}

static void put_general(chain_der *d, uint8_t index)
{
    const plan_general *g = &plan_generals[index];
    if (g->kind != GENERAL_DIRECTORY) {
        der_put(d, (uint8_t)g->kind, g->bytes, g->len);
        return;
    }
    size_t name = der_open(d, (uint8_t)g->kind);
    put_directory_name(d, (uint8_t)g->bytes[0]);
    der_close(d, name);
}

static void put_date(chain_der *d, uint8_t date)
{
    const char *text = plan_dates[date].text;
    der_put(d, plan_dates[date].tag, text, strlen(text));
}

/* --- extensions ----------------------------------------------------------------------- */

typedef struct extension {
    size_t whole, value;
} extension;

/* Opens the extension with the OID 2.5.29.`last`. */
static extension open_extension(chain_der *d, uint8_t last, bool critical)
{
    const uint8_t oid[] = { 0x55, 0x1D, last };
    extension e = { .whole = der_open(d, 0x30) };
    der_put(d, 0x06, oid, sizeof oid);
    if (critical) {
        der_put(d, 0x01, "\xFF", 1);
    }
    e.value = der_open(d, 0x04);
    return e;
}

static void close_extension(chain_der *d, extension e)
{
    der_close(d, e.value);
    der_close(d, e.whole);
}

static void put_unknown(chain_der *d, bool critical)
{
    size_t whole = der_open(d, 0x30);
    DER_PUT_OID(d, "\x2A\x03\x04\x05");
    if (critical) {
        der_put(d, 0x01, "\xFF", 1);
    }
    der_put(d, 0x04, "\x05\x00", 2);
    der_close(d, whole);
}

static void put_basic(chain_der *d, const plan_cert *c)
{
    extension e = open_extension(d, 19, c->basic != BASIC_CA_NOT_CRITICAL);
    size_t sequence = der_open(d, 0x30);
    if (c->basic != BASIC_END) {
        der_put(d, 0x01, "\xFF", 1);
    }
    if (c->path_len >= 0) {
        der_put_small(d, c->path_len);
    }
    der_close(d, sequence);
    close_extension(d, e);
}

static void put_usage(chain_der *d, const plan_cert *c)
{
    uint8_t unused = 0;
    while ((c->usage >> unused & 1) == 0) {
        unused++;
    }
    const uint8_t bits[] = { unused, c->usage };
    extension e = open_extension(d, 15, CRITICAL);
    der_put(d, 0x03, bits, sizeof bits);
    close_extension(d, e);
}

static void put_purposes(chain_der *d, const plan_cert *c)
{
    extension e = open_extension(d, 37, !CRITICAL);
    size_t sequence = der_open(d, 0x30);
    if ((c->eku & EKU_SERVER) != 0) {
        DER_PUT_OID(d, "\x2B\x06\x01\x05\x05\x07\x03\x01");
    }
    if ((c->eku & EKU_CLIENT) != 0) {
        DER_PUT_OID(d, "\x2B\x06\x01\x05\x05\x07\x03\x02");
    }
    if ((c->eku & EKU_ANY) != 0) {
        DER_PUT_OID(d, "\x55\x1D\x25\x00");
    }
    if ((c->eku & EKU_OTHER) != 0) {
        DER_PUT_OID(d, "\x2A\x03\x04\x06");
    }
    der_close(d, sequence);
    close_extension(d, e);
}

static void put_names(chain_der *d, const plan_cert *c)
{
    extension e = open_extension(d, 17, c->names_critical);
    size_t sequence = der_open(d, 0x30);
    for (uint8_t i = 0; i < c->names.len; i++) {
        put_general(d, c->names.at[i]);
    }
    der_close(d, sequence);
    close_extension(d, e);
}

static void put_subtrees(chain_der *d, uint8_t tag, const plan_list *list)
{
    if (list->len == 0) {
        return;
    }
    size_t all = der_open(d, tag);
    for (uint8_t i = 0; i < list->len; i++) {
        size_t one = der_open(d, 0x30);
        put_general(d, list->at[i]);
        der_close(d, one);
    }
    der_close(d, all);
}

static void put_constraints(chain_der *d, const plan_cert *c)
{
    extension e = open_extension(d, 30, !c->constraints_not_critical);
    size_t sequence = der_open(d, 0x30);
    put_subtrees(d, 0xA0, &c->permitted);
    put_subtrees(d, 0xA1, &c->excluded);
    der_close(d, sequence);
    close_extension(d, e);
}

static void put_id(chain_der *d, uint8_t key, plan_id kind, bool of_authority)
{
    uint8_t id[20];
    if (kind == ID_NONE) {
        return;
    }
    memset(id, kind == ID_WRONG ? 0xEE : key + 1, sizeof id);
    extension e = open_extension(d, of_authority ? 35 : 14, !CRITICAL);
    if (of_authority) {
        size_t sequence = der_open(d, 0x30);
        der_put(d, 0x80, id, sizeof id);
        der_close(d, sequence);
    } else {
        der_put(d, 0x04, id, sizeof id);
    }
    close_extension(d, e);
}

static void put_raw(chain_der *d, uint8_t last, bool critical, const char *value, size_t len)
{
    extension e = open_extension(d, last, critical);
    der_append(d, value, len);
    close_extension(d, e);
}

static void put_extras(chain_der *d, const plan_cert *c)
{
    if ((c->extras & EXTRA_UNKNOWN) != 0) {
        put_unknown(d, !CRITICAL);
    }
    if ((c->extras & EXTRA_UNKNOWN_CRITICAL) != 0) {
        put_unknown(d, CRITICAL);
    }
    if ((c->extras & EXTRA_POLICIES_CRITICAL) != 0) {
        put_raw(d, 32, CRITICAL, "\x30\x06\x30\x04\x06\x02\x2A\x03", 8);
    }
    if ((c->extras & EXTRA_POLICY_CONSTRAINTS) != 0) {
        put_raw(d, 36, CRITICAL, "\x30\x03\x80\x01\x00", 5);
    }
    if ((c->extras & EXTRA_POLICY_CONSTRAINTS_NOT_CRITICAL) != 0) {
        put_raw(d, 36, !CRITICAL, "\x30\x03\x80\x01\x00", 5);
    }
    if ((c->extras & EXTRA_POLICY_MAPPINGS) != 0) {
        put_raw(d, 33, CRITICAL, "\x30\x0A\x30\x08\x06\x02\x2A\x03\x06\x02\x2A\x04", 12);
    }
    if ((c->extras & EXTRA_INHIBIT_ANY) != 0) {
        put_raw(d, 54, CRITICAL, "\x02\x01\x00", 3);
    }
    if ((c->extras & EXTRA_TWICE) != 0) {
        if (c->basic != BASIC_NONE) {
            put_basic(d, c);
        } else {
            put_unknown(d, !CRITICAL);
            put_unknown(d, !CRITICAL);
        }
    }
}

static void put_extensions(chain_der *d, const plan_cert *c)
{
    size_t tagged = der_open(d, 0xA3);
    size_t sequence = der_open(d, 0x30);
    put_id(d, c->key, c->subject_id, false);
    put_id(d, c->signer, c->authority_id, true);
    if (c->basic != BASIC_NONE) {
        put_basic(d, c);
    }
    if (c->usage != USAGE_NONE) {
        put_usage(d, c);
    }
    if (c->eku != EKU_NONE) {
        put_purposes(d, c);
    }
    if (c->names.len > 0) {
        put_names(d, c);
    }
    if (c->permitted.len + c->excluded.len > 0) {
        put_constraints(d, c);
    }
    put_extras(d, c);
    der_close(d, sequence);
    der_close(d, tagged);
}

/* --- certificates --------------------------------------------------------------------- */

static void put_signed_part(chain_der *d, const plan_cert *c)
{
    size_t sequence = der_open(d, 0x30);
    if (!c->version_1) {
        der_append(d, "\xA0\x03\x02\x01\x02", 5);
    }
    der_put(d, 0x02, plan_serials[c->serial].bytes, plan_serials[c->serial].len);
    keys_put_algorithm(d, c->signer, c->hash);
    put_directory_name(d, c->issuer);
    size_t validity = der_open(d, 0x30);
    put_date(d, c->from);
    put_date(d, c->to);
    der_close(d, validity);
    put_directory_name(d, c->subject);
    keys_put_public(d, c->key);
    if (!c->version_1) {
        put_extensions(d, c);
    }
    der_close(d, sequence);
}

static void apply(plan_damage damage, uint8_t *bytes, size_t len)
{
    bytes[damage.at % len] ^= damage.change;
}

static void make(made_cert *out, const plan_cert *c)
{
    chain_der part = { .len = 0 };
    chain_der whole = { .len = 0 };
    put_signed_part(&part, c);
    /* Only this part is changed, because the bytes after it differ in each run. */
    const size_t len = part.len;
    apply(c->before, part.bytes, len);
    size_t sequence = der_open(&whole, 0x30);
    der_append(&whole, part.bytes, len);
    keys_put_algorithm(&whole, c->signer,
                       c->other_algorithm ? (plan_hash)((c->hash + 1) % HASH_KINDS) : c->hash);
    size_t bits = der_open_bits(&whole);
    keys_put_signature(&whole, c->signer, c->hash, part.bytes, len);
    der_close(&whole, bits);
    der_close(&whole, sequence);
    apply(c->after, whole.bytes, len);
    *out = (made_cert){ .der = malloc(whole.len), .len = whole.len };
    FUZZ_CHECK(out->der != NULL);
    memcpy(out->der, whole.bytes, whole.len);
}

void chain_make(made_chain *made, const plan *p)
{
    *made = (made_chain){ .count = p->count };
    for (uint8_t i = 0; i < p->count; i++) {
        make(&made->certs[i], &p->certs[i]);
    }
}

void chain_free(made_chain *made)
{
    for (uint8_t i = 0; i < made->count; i++) {
        free(made->certs[i].der);
    }
}

char *chain_trusted_pem(const made_chain *made, const plan *p)
{
    size_t cap = 1 + (size_t)PLAN_CERTS * 10240;
    size_t len = 0;
    char *pem = calloc(1, cap);
    FUZZ_CHECK(pem != NULL);
    for (uint8_t i = 0; i < made->count; i++) {
        const made_cert *c = &made->certs[i];
        if (p->trusted[i]) {
            int n = wc_DerToPem(c->der, (word32)c->len, (byte *)pem + len, (word32)(cap - len),
                                CERT_TYPE);
            FUZZ_CHECK(n > 0);
            len += (size_t)n;
        }
    }
    return pem;
}
