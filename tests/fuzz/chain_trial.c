#include "chain_trial.h"

#include "chain_make.h"
#include "chain_model.h"
#include "chain_words.h"
#include "judge_work.h"
#include "wolfssl/x509/chain.h"
#ifdef FUZZ_WITH_OPENSSL
#include "chain_openssl.h"
#endif

static plat_result judge(const made_chain *made, const plan *p, const plat_roots *roots,
                         plat_chain_verdict *out)
{
    WOLFSSL_BUFFER_INFO certs[PLAN_PRESENTED];
    plat_host host;
    for (uint8_t i = 0; i < p->presented_len; i++) {
        const made_cert *c = &made->certs[p->presented[i]];
        certs[i].buffer = c->der;
        certs[i].length = (unsigned)c->len;
    }
    const plat_chain chain = { .certs = certs,
                               .count = p->presented_len,
                               .now_s = plan_times[p->now] };
    FUZZ_CHECK(plat_host_parse(&host, plan_hosts[p->host]));
    return plat_chain_verify(&chain, roots, &host, out);
}

/* Returns whether the judge has given up, because more bad paths precede a good one than it may
 * try. */
static bool has_given_up(const chain_trial *t)
{
    return t->why != NULL && strstr(t->why, "has too many") != NULL;
}

static void ask_judge(chain_trial *t, const made_chain *made, const plan *p)
{
    plat_roots roots = { 0 };
    plat_chain_verdict verdict;
    plat_chain_verdict again;
    char *pem = chain_trusted_pem(made, p);
    const char *why;
    /* If the text contains no root, no certificate is trusted. */
    (void)plat_roots_add(&roots, pem, strlen(pem), &why);
    judge_work_done = (judge_work){ 0 };
    plat_result r = judge(made, p, &roots, &verdict);
    FUZZ_CHECK(judge_work_done.signatures <= JUDGE_WORK_SIGNATURES);
    FUZZ_CHECK(judge_work_done.elements <= JUDGE_WORK_ELEMENTS);
    FUZZ_CHECK(judge_work_done.elements > 0 || p->presented_len == 0);
    FUZZ_CHECK(judge(made, p, &roots, &again) == r);
    FUZZ_CHECK(verdict.why == again.why);
    FUZZ_CHECK((r == PLAT_OK) == (verdict.why == NULL));
    t->accepted = r == PLAT_OK;
    t->why = verdict.why;
    plat_roots_free(&roots);
    free(pem);
}

#ifdef FUZZ_WITH_OPENSSL

static bool is(const char *text, const char *other)
{
    return strcmp(text, other) == 0;
}

/* Returns whether several certificates have the same name. OpenSSL follows only one path, the
 * judge all of them. */
static bool has_namesakes(const plan *p)
{
    for (uint8_t i = 0; i < p->count; i++) {
        for (uint8_t k = (uint8_t)(i + 1); k < p->count; k++) {
            if (p->certs[i].subject == p->certs[k].subject) {
                return true;
            }
        }
    }
    return false;
}

static bool has_any_purpose(const plan *p)
{
    for (uint8_t i = 0; i < p->count; i++) {
        if ((p->certs[i].eku & EKU_ANY) != 0) {
            return true;
        }
    }
    return false;
}

static bool has_last_second(const plan *p)
{
    for (uint8_t i = 0; i < p->count; i++) {
        if (p->certs[i].to == plan_last_dates[p->now]) {
            return true;
        }
    }
    return false;
}

static bool is_damaged(const plan_cert *c)
{
    return c->before.change != 0 || c->after.change != 0;
}

/* Returns whether this is a known reason for which OpenSSL refuses what the judge accepts. */
static bool is_listed(const plan *p, const char *openssl)
{
    /* By RFC 5280 section 4.2.1.12, anyExtendedKeyUsage includes every purpose. */
    if (is(openssl, "unsuitable certificate purpose") && has_any_purpose(p)) {
        return true;
    }
    /* By section 4.1.2.5, notAfter is the last valid second; OpenSSL ends one second earlier. */
    if (is(openssl, "certificate has expired") && has_last_second(p)) {
        return true;
    }
    /* For the judge, a wildcard also stands for labels with an underscore. */
    if (is(openssl, "hostname mismatch") && strchr(plan_hosts[p->host], '_') != NULL) {
        return true;
    }
    /* The judge leaves it to the handshake to find out whether the server's key is usable. */
    if (is(openssl, "EE certificate key too weak") && is_damaged(&p->certs[p->presented[0]])) {
        return true;
    }
    /* The judge accepts a certificate that is itself trusted; OpenSSL looks further. */
    return p->trusted[p->presented[0]] || has_namesakes(p);
}

static void compare_with_openssl(chain_trial *t, const made_chain *made, const plan *p)
{
    t->openssl_asked = true;
    t->openssl = chain_openssl(made, p);
    if (t->accepted && t->openssl != NULL && !is_listed(p, t->openssl)) {
        t->contradiction = "the judge accepts what OpenSSL refuses";
    }
}

#else

static void compare_with_openssl(chain_trial *t, const made_chain *made, const plan *p)
{
    (void)t;
    (void)made;
    (void)p;
}

#endif

void chain_try(chain_trial *t, const plan *p)
{
    made_chain made;
    *t = (chain_trial){ 0 };
    chain_make(&made, p);
    ask_judge(t, &made, p);
    if (chain_model_knows(p) && !has_given_up(t) && t->accepted != chain_model_accepts(&made, p)) {
        t->contradiction = t->accepted ? "the judge accepts what the model refuses"
                                       : "the judge refuses what the model accepts";
    }
    compare_with_openssl(t, &made, p);
    chain_free(&made);
}
