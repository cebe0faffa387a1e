/* Tests the reader of certificates: the parts lie inside the certificate, a name equals itself,
 * and a truncated certificate or one with an additional byte is refused. */

#include "fuzz.h"
#include "wolfssl/x509/certificate.h"

static void check_inside(plat_der part, const uint8_t *data, size_t size)
{
    FUZZ_CHECK(part.len == 0 ||
               (part.at >= data && part.len <= size && part.at <= data + size - part.len));
}

static void check_names(const plat_certificate *c)
{
    FUZZ_CHECK(plat_name_is_sound(c->issuer) && plat_name_is_sound(c->subject));
    FUZZ_CHECK(plat_name_equals(c->subject, c->subject));
    FUZZ_CHECK(plat_name_is_below(c->subject, c->subject));
    FUZZ_CHECK(plat_name_hash(c->subject) == c->subject_hash);
    const bool same = plat_name_equals(c->issuer, c->subject);
    FUZZ_CHECK(same == plat_name_equals(c->subject, c->issuer));
    FUZZ_CHECK(same == plat_certificate_is_self_issued(c));
    FUZZ_CHECK(!same || c->issuer_hash == c->subject_hash);
}

static void check_general_names(const plat_certificate *c, const uint8_t *data, size_t size)
{
    plat_general_name name;
    for (plat_der in = c->extensions.alt_names; c->flaw == NULL && in.len > 0;) {
        FUZZ_CHECK(plat_general_next(&in, &name));
        check_inside(name.value, data, size);
    }
}

static void check(const plat_certificate *c, const uint8_t *data, size_t size)
{
    const plat_der parts[] = { c->whole,
                               c->proof.bytes,
                               c->proof.signature,
                               c->key,
                               c->serial,
                               c->issuer,
                               c->subject,
                               c->extensions.alt_names,
                               c->extensions.key_id,
                               c->extensions.constraints,
                               c->extensions.authority_key_id,
                               c->extensions.authority_issuer,
                               c->extensions.authority_serial };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        check_inside(parts[i], data, size);
    }
    FUZZ_CHECK(c->whole.len == size && c->version >= 1 && c->version <= 3);
    check_names(c);
    check_general_names(c, data, size);
    (void)plat_key_flaw(c->key);
}

static bool is_certificate(const uint8_t *data, size_t size)
{
    plat_certificate c;
    return plat_certificate_read(&c, (plat_der){ data, size });
}

static void check_borders(const uint8_t *data, size_t size)
{
    uint8_t *longer = malloc(size + 1);
    FUZZ_CHECK(longer != NULL);
    memcpy(longer, data, size);
    longer[size] = 0;
    FUZZ_CHECK(!is_certificate(longer, size + 1));
    free(longer);
    FUZZ_CHECK(!is_certificate(data, size - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    plat_certificate c;
    if (plat_certificate_read(&c, (plat_der){ data, size })) {
        check(&c, data, size);
        check_borders(data, size);
    }
    return 0;
}
