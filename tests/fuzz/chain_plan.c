#include "chain_plan.h"

#include "chain_words.h"

enum { ISSUERS_MAX = 4, STEPS_MAX = 24 };

static plan_cert *pick(plan *p, fuzz_input *in)
{
    return &p->certs[fuzz_roll(in, p->count)];
}

static void add_name(plan_list *list, uint8_t name)
{
    if (list->len < PLAN_NAMES) {
        list->at[list->len++] = name;
    }
}

/* Fills in a good chain: the server's certificate, the issuers upwards, and the root at the end. */
static void start(plan *p, uint8_t issuers)
{
    *p = (plan){ .count = (uint8_t)(issuers + 2) };
    for (uint8_t i = 0; i < p->count; i++) {
        uint8_t up = i + 1 < p->count ? (uint8_t)(i + 1) : i;
        plan_cert *c = &p->certs[i];
        *c = (plan_cert){ .subject = i,
                          .issuer = up,
                          .key = i,
                          .signer = up,
                          .from = PLAN_FROM,
                          .to = PLAN_TO,
                          .basic = i == 0 ? BASIC_END : BASIC_CA,
                          .path_len = -1,
                          .usage = i == 0 ? USAGE_SIGN : USAGE_CERT_SIGN };
        if (i != up) {
            p->presented[p->presented_len++] = i;
        }
    }
    p->certs[0].eku = EKU_SERVER;
    add_name(&p->certs[0].names, 0);
    p->trusted[p->count - 1] = true;
}

/* --- steps ---------------------------------------------------------------------------- */

static void change_names(plan *p, fuzz_input *in)
{
    plan_cert *c = pick(p, in);
    uint8_t what = (uint8_t)fuzz_roll(in, PLAN_GENERALS + 2);
    if (what < PLAN_GENERALS) {
        add_name(&c->names, what);
    } else {
        c->names.len = 0;
    }
}

/* Changes the constraints, mostly of an issuer, because constraints in the server's own
 * certificate end the verdict immediately. */
static void change_constraints(plan *p, fuzz_input *in)
{
    plan_cert *c = &p->certs[fuzz_roll(in, 16) == 0 ? 0 : 1 + fuzz_roll(in, p->count - 1u)];
    plan_list *list = fuzz_roll(in, 2) == 0 ? &c->permitted : &c->excluded;
    add_name(list, (uint8_t)fuzz_roll(in, PLAN_GENERALS));
}

static void change_identity(plan *p, fuzz_input *in)
{
    plan_cert *c = pick(p, in);
    switch (fuzz_roll(in, 6)) {
    case 0: c->subject = (uint8_t)fuzz_roll(in, PLAN_DIRECTORY_NAMES); break;
    case 1: c->issuer = (uint8_t)fuzz_roll(in, PLAN_DIRECTORY_NAMES); break;
    case 2: c->key = (uint8_t)fuzz_roll(in, PLAN_KEYS); break;
    case 3: c->signer = (uint8_t)fuzz_roll(in, PLAN_KEYS); break;
    case 4: c->subject_id = (plan_id)fuzz_roll(in, ID_KINDS); break;
    default: c->authority_id = (plan_id)fuzz_roll(in, ID_KINDS); break;
    }
}

static void change_rights(plan *p, fuzz_input *in)
{
    static const uint8_t usages[] = { 0,
                                      USAGE_SIGN,
                                      USAGE_ENCIPHER,
                                      USAGE_CERT_SIGN,
                                      USAGE_SIGN | USAGE_CERT_SIGN,
                                      USAGE_SIGN | USAGE_ENCIPHER };
    plan_cert *c = pick(p, in);
    switch (fuzz_roll(in, 4)) {
    case 0: c->basic = (plan_basic)fuzz_roll(in, BASIC_KINDS); break;
    case 1: c->path_len = (int8_t)((int)fuzz_roll(in, 5) - 1); break;
    case 2: c->usage = usages[fuzz_roll(in, sizeof usages)]; break;
    default: c->eku = (uint8_t)fuzz_roll(in, EKU_SETS); break;
    }
}

static void change_form(plan *p, fuzz_input *in)
{
    plan_cert *c = pick(p, in);
    switch (fuzz_roll(in, 9)) {
    case 0: c->from = (uint8_t)fuzz_roll(in, PLAN_DATES); break;
    case 1: c->to = (uint8_t)fuzz_roll(in, PLAN_DATES); break;
    case 2: c->serial = (uint8_t)fuzz_roll(in, PLAN_SERIALS); break;
    case 3: c->version_1 = !c->version_1; break;
    case 4: c->names_critical = !c->names_critical; break;
    case 5: c->constraints_not_critical = !c->constraints_not_critical; break;
    case 6: c->extras ^= (uint8_t)(1u << fuzz_roll(in, EXTRA_KINDS)); break;
    case 7: c->hash = (plan_hash)fuzz_roll(in, HASH_KINDS); break;
    default: c->other_algorithm = !c->other_algorithm; break;
    }
}

static void damage(plan *p, fuzz_input *in)
{
    plan_cert *c = pick(p, in);
    plan_damage *d = fuzz_roll(in, 4) == 0 ? &c->after : &c->before;
    d->at = (uint16_t)fuzz_roll(in, UINT16_MAX);
    d->change = fuzz_byte(in);
}

/* Takes the current name and key of the parent. */
static void adopt(plan *p, fuzz_input *in)
{
    plan_cert *c = pick(p, in);
    const plan_cert *parent = pick(p, in);
    c->issuer = parent->subject;
    c->signer = parent->key;
}

static void present(plan *p, fuzz_input *in)
{
    uint8_t cert = (uint8_t)fuzz_roll(in, p->count);
    uint8_t at = (uint8_t)fuzz_roll(in, p->presented_len + 1u);
    if (p->presented_len == PLAN_PRESENTED) {
        return;
    }
    memmove(p->presented + at + 1, p->presented + at, (size_t)(p->presented_len - at));
    p->presented[at] = cert;
    p->presented_len++;
}

static void hold_back(plan *p, fuzz_input *in)
{
    if (p->presented_len > 0) {
        uint8_t at = (uint8_t)fuzz_roll(in, p->presented_len);
        p->presented_len--;
        memmove(p->presented + at, p->presented + at + 1, (size_t)(p->presented_len - at));
    }
}

/* Adds a copy of a certificate at the end of the presented ones; later steps may change it. */
static void copy(plan *p, fuzz_input *in)
{
    const plan_cert *c = pick(p, in);
    if (p->count < PLAN_CERTS) {
        p->certs[p->count] = *c;
        if (p->presented_len < PLAN_PRESENTED) {
            p->presented[p->presented_len++] = p->count;
        }
        p->count++;
    }
}

static void trust_or_not(plan *p, fuzz_input *in)
{
    uint8_t cert = (uint8_t)fuzz_roll(in, p->count);
    p->trusted[cert] = !p->trusted[cert];
}

static void ask_otherwise(plan *p, fuzz_input *in)
{
    if (fuzz_roll(in, 3) == 0) {
        p->now = (uint8_t)fuzz_roll(in, PLAN_TIMES);
        return;
    }
    /* Chooses another host, and a name for the server's certificate. */
    uint8_t name = (uint8_t)fuzz_roll(in, PLAN_GENERALS);
    p->host = (uint8_t)fuzz_roll(in, PLAN_HOSTS);
    p->certs[0].names.at[0] = name;
}

void plan_read(plan *p, fuzz_input *in)
{
    static void (*const steps[])(plan *, fuzz_input *) = {
        change_names,    change_constraints,
        change_identity, change_rights,
        change_form,     damage,
        adopt,           present,
        hold_back,       copy,
        trust_or_not,    ask_otherwise,
    };
    start(p, (uint8_t)fuzz_roll(in, ISSUERS_MAX + 1));
    for (int i = 0; i < STEPS_MAX && in->len > 0; i++) {
        steps[fuzz_roll(in, sizeof steps / sizeof steps[0])](p, in);
    }
}
