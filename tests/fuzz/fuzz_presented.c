/* Tests the judge of server certificates with any bytes; fuzz_chain tests it with chains that are
 * mostly good. The input is the number of roots, the number of presented certificates, and then the
 * certificates as DER: first the presented ones, then the roots. The verdict is the same each time,
 * takes a bounded amount of work, and is good only with a root. */

#include "fuzz.h"
#include "judge_work.h"
#include "wolfssl/x509/chain.h"
#include "wolfssl/x509/der.h"

enum { MOST = 20, NOW_S = 1798761600 /* 2027-01-01 */ };

/* Takes the certificates. Each one has the length that its first bytes state, even if it is not
 * a certificate. */
static size_t take(plat_der *in, size_t count, plat_der *out)
{
    size_t n = 0;
    plat_der_item item;
    for (; n < count && in->len > 0; n++) {
        plat_der rest = *in;
        if (!plat_der_next(in, &item)) {
            out[n] = rest; /* the rest becomes the last certificate */
            *in = (plat_der){ rest.at + rest.len, 0 };
            continue;
        }
        out[n] = item.whole;
    }
    return n;
}

static plat_result judge(const plat_der *presented, size_t count, const plat_roots *roots,
                         plat_chain_verdict *out)
{
    WOLFSSL_BUFFER_INFO certs[MOST];
    plat_host host;
    for (size_t i = 0; i < count; i++) {
        certs[i].buffer = (unsigned char *)(uintptr_t)presented[i].at;
        certs[i].length = (unsigned)presented[i].len;
    }
    const plat_chain chain = { .certs = certs, .count = count, .now_s = NOW_S };
    FUZZ_CHECK(plat_host_parse(&host, "hub.example"));
    return plat_chain_verify(&chain, roots, &host, out);
}

static void check(const plat_der *presented, size_t count, const plat_roots *roots)
{
    plat_chain_verdict verdict, again;
    judge_work_done = (judge_work){ 0 };
    plat_result r = judge(presented, count, roots, &verdict);
    FUZZ_CHECK(judge_work_done.signatures <= JUDGE_WORK_SIGNATURES);
    FUZZ_CHECK(judge_work_done.elements <= JUDGE_WORK_ELEMENTS);
    FUZZ_CHECK(judge(presented, count, roots, &again) == r && verdict.why == again.why);
    FUZZ_CHECK((r == PLAT_OK) == (verdict.why == NULL));
    FUZZ_CHECK(r != PLAT_OK || (count > 0 && roots->count > 0));
    FUZZ_CHECK(r != PLAT_OK || verdict.trust.valid_until_s >= NOW_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    plat_der presented[MOST], trusted[MOST];
    plat_roots roots = { 0 };
    const char *why;
    fuzz_input in = { data, size };
    const size_t root_count = fuzz_roll(&in, 4);
    const size_t count = fuzz_roll(&in, MOST + 1);
    plat_der rest = { in.ptr, in.len };
    const size_t shown = take(&rest, count, presented);
    const size_t given = take(&rest, root_count, trusted);
    for (size_t i = 0; i < given; i++) {
        (void)plat_roots_add(&roots, trusted[i].at, trusted[i].len, &why);
    }
    check(presented, shown, &roots);
    plat_roots_free(&roots);
    return 0;
}
