#include "wolfssl/x509/path.h"

#include "wolfssl/x509/name_constraints.h"

/* The steps of verifying a path, in their order. If no path is good, the reason of the one that
 * passed most steps is reported. */
typedef enum rank {
    NOT_TRIED,
    NO_ISSUER,
    OTHER_KEY,
    UNUSABLE,
    REFUSED, /* refused by a constraint of a CA, or complete but too long */
    ENDED,   /* the search must end, because no other path can help */
} rank;

typedef enum proof { UNKNOWN, GOOD, BAD } proof;

typedef struct search {
    const plat_path_task *task;
    /* Indexes of task->certs; the server's own certificate is the first. */
    size_t path[PLAT_PATH_LONGEST];
    size_t len;
    uint8_t proofs[PLAT_PATH_PRESENTED][PLAT_PATH_PRESENTED]; /* child, parent */
    uint32_t signatures; /* number of signature checks that are left */
    uint32_t work;       /* number of comparisons that are left */
    rank reached;
    plat_result result;
    const char *why;
    int64_t valid_until_s;
} search;

static void note(search *s, rank reached, plat_result r, const char *why)
{
    if (reached > s->reached) {
        s->reached = reached;
        s->result = r;
        s->why = why;
    }
}

static void give_up(search *s, plat_result r, const char *why)
{
    note(s, ENDED, r, why);
}

/* --- one certificate --- */

static plat_result refuse(const char **why, plat_result r, const char *text)
{
    *why = text;
    return r;
}

static plat_result check(const plat_certificate *c, int64_t now_s, const char **why)
{
    const char *key_flaw = plat_key_flaw(c->key);
    if (c->flaw != NULL || key_flaw != NULL) {
        return refuse(why, PLAT_ERR_CERT, c->flaw != NULL ? c->flaw : key_flaw);
    }
    if (now_s < c->not_before) {
        return refuse(why, PLAT_ERR_CERT_DATE,
                      "a certificate of the chain is not valid yet (is the clock right?)");
    }
    if (now_s > c->not_after) {
        return refuse(why, PLAT_ERR_CERT_DATE,
                      "a certificate of the chain has expired (is the clock right?)");
    }
    if (c->extensions.has_purposes && !c->extensions.is_for_servers) {
        return refuse(why, PLAT_ERR_CERT, "a certificate of the chain is not meant for servers");
    }
    return PLAT_OK;
}

static plat_result check_presented(const plat_certificate *c, int64_t now_s, const char **why)
{
    if (c->proof.algorithm.scheme == PLAT_SCHEME_UNKNOWN) {
        return refuse(why, PLAT_ERR_CERT, "a signature in the chain is of a weak or unknown kind");
    }
    return check(c, now_s, why);
}

static bool may_sign(const plat_certificate *c)
{
    return c->version == 3 && c->extensions.is_ca &&
           (!c->extensions.has_usage || (c->extensions.usage & PLAT_USAGE_KEY_CERT_SIGN) != 0);
}

plat_result plat_path_check_ca(const plat_certificate *c, int64_t now_s, const char **why)
{
    plat_result r = check_presented(c, now_s, why);
    return r != PLAT_OK ? r
           : may_sign(c)
               ? PLAT_OK
               : refuse(why, PLAT_ERR_CERT, "a certificate of the chain may not sign others");
}

/* Before version 3, no field shows whether a certificate may sign others. A self-signed one in
 * the file of trusted certificates may. */
plat_result plat_path_check_root(const plat_certificate *c, int64_t now_s, const char **why)
{
    plat_result r = check(c, now_s, why);
    if (r == PLAT_ERR_CERT_DATE) {
        return refuse(why, r,
                      now_s > c->not_after
                          ? "the trusted root has expired (is the clock right?)"
                          : "the trusted root is not valid yet (is the clock right?)");
    }
    if (r != PLAT_OK) {
        return r;
    }
    bool old = c->version < 3 && plat_certificate_is_self_issued(c);
    return may_sign(c) || old ? PLAT_OK
                              : refuse(why, PLAT_ERR_CERT,
                                       "the trusted certificate may not sign others: it is "
                                       "trusted for itself only");
}

plat_result plat_path_check_own(const plat_certificate *c, int64_t now_s, const char **why)
{
    plat_result r = check_presented(c, now_s, why);
    if (r == PLAT_OK && c->extensions.has_usage &&
        (c->extensions.usage & PLAT_USAGE_DIGITAL_SIGNATURE) == 0) {
        return refuse(why, PLAT_ERR_CERT, "the server's certificate is not meant for signatures");
    }
    return r;
}

/* --- a path --- */

static const plat_certificate *in_path(const search *s, size_t depth)
{
    return &s->task->certs[s->path[depth]];
}

/* Returns the number of certificates between the server's own and a CA above the path.
 * Self-issued certificates do not count. */
static uint32_t count_between(const search *s)
{
    uint32_t count = 0;
    for (size_t depth = 1; depth < s->len; depth++) {
        if (!plat_certificate_is_self_issued(in_path(s, depth))) {
            count++;
        }
    }
    return count;
}

/* Checks the names by RFC 5280 section 6.1.3 (b) and (c): self-issued certificates are exempt,
 * except for the server's own. */
static const char *refuse_names(search *s, const plat_certificate *ca)
{
    const char *why = NULL;
    for (size_t depth = 0; depth < s->len && why == NULL; depth++) {
        const plat_certificate *c = in_path(s, depth);
        if (depth == 0 || !plat_certificate_is_self_issued(c)) {
            why = plat_constraints_refuse(ca->extensions.constraints, c, &s->work);
        }
    }
    return why;
}

/* Returns whether a CA above the current path allows the certificates below it. */
static bool allows_path(search *s, const plat_certificate *ca)
{
    if (ca->extensions.has_path_len && count_between(s) > ca->extensions.path_len) {
        note(s, REFUSED, PLAT_ERR_CERT, "the chain is longer than one of its CAs allows");
        return false;
    }
    const char *why = ca->extensions.has_constraints ? refuse_names(s, ca) : NULL;
    if (s->work == 0) {
        give_up(s, PLAT_ERR_CERT, why);
    } else if (why != NULL) {
        note(s, REFUSED, PLAT_ERR_CERT, why);
    }
    return why == NULL;
}

static bool signed_by(search *s, const plat_certificate *child, const plat_certificate *parent)
{
    if (s->signatures == 0) {
        give_up(s, PLAT_ERR_CERT, "the chain of certificates has too many possible paths");
        return false;
    }
    s->signatures--;
    plat_result r = plat_signature_verify(&child->proof, parent->key);
    if (r == PLAT_ERR_MEMORY) {
        give_up(s, r, "no memory left");
    } else if (r != PLAT_OK) {
        note(s, OTHER_KEY, r, "a signature in the chain was not made by the issuer it names");
    }
    return r == PLAT_OK;
}

static bool take_step(search *s)
{
    if (s->work > 0 && --s->work > 0) {
        return true;
    }
    give_up(s, PLAT_ERR_CERT, "the chain of certificates has too many possible paths");
    return false;
}

/* --- the end of a path --- */

static bool ends_at(search *s, const plat_root *root)
{
    const plat_certificate *top = in_path(s, s->len - 1);
    const char *why;
    plat_certificate ca;
    const plat_der der = { root->der->buffer, root->der->length };
    if (!plat_certificate_read(&ca, der) || !plat_certificate_names_issuer(top, &ca)) {
        return false;
    }
    plat_result r = plat_path_check_root(&ca, s->task->now_s, &why);
    if (r != PLAT_OK) {
        note(s, UNUSABLE, r, why);
        return false;
    }
    if (count_between(s) > s->task->max_path_len) {
        note(s, REFUSED, PLAT_ERR_CERT, "the chain of certificates is too long");
        return false;
    }
    if (!signed_by(s, top, &ca) || !allows_path(s, &ca)) {
        return false;
    }
    s->valid_until_s = ca.not_after;
    return true;
}

/* Looks for a root above the path. Only roots with the issuer's name count as work, because a
 * system trusts hundreds of roots. */
static bool ends_at_a_root(search *s)
{
    const uint32_t issuer_hash = in_path(s, s->len - 1)->issuer_hash;
    for (size_t i = 0; i < s->task->roots->count && s->reached != ENDED; i++) {
        const plat_root *root = &s->task->roots->list[i];
        if (root->subject_hash == issuer_hash && take_step(s) && ends_at(s, root)) {
            return true;
        }
    }
    return false;
}

/* --- the next step of a path --- */

/* Returns whether the same name and key occur again, perhaps in another certificate; then the
 * path is a circle. */
static bool is_in_path(const search *s, const plat_certificate *c)
{
    for (size_t depth = 0; depth < s->len; depth++) {
        const plat_certificate *p = in_path(s, depth);
        if (c == p || (c->subject_hash == p->subject_hash && plat_der_equals(c->key, p->key) &&
                       plat_name_equals(c->subject, p->subject))) {
            return true;
        }
    }
    return false;
}

static bool is_proven(search *s, size_t parent)
{
    size_t child = s->path[s->len - 1];
    uint8_t *known = &s->proofs[child][parent];
    if (*known == UNKNOWN) {
        bool good = signed_by(s, &s->task->certs[child], &s->task->certs[parent]);
        *known = s->reached == ENDED ? UNKNOWN : good ? GOOD : BAD;
    }
    return *known == GOOD;
}

static bool may_go_through(search *s, size_t index)
{
    const plat_certificate *top = in_path(s, s->len - 1);
    const plat_certificate *c = &s->task->certs[index];
    const char *why;
    if (!s->task->readable[index] || !plat_certificate_names_issuer(top, c) || is_in_path(s, c)) {
        return false;
    }
    plat_result r = plat_path_check_ca(c, s->task->now_s, &why);
    if (r != PLAT_OK) {
        note(s, UNUSABLE, r, why);
        return false;
    }
    return is_proven(s, index) && allows_path(s, c);
}

static void note_end(search *s)
{
    bool alone = s->len == 1 && plat_certificate_is_self_issued(in_path(s, 0));
    note(s, NO_ISSUER, PLAT_ERR_CERT_UNTRUSTED,
         alone ? "the server's certificate is self-signed and not trusted"
               : "the chain of certificates does not end at a trusted root");
}

/* The depth of the recursion is limited by the longest path. */
static bool climb(search *s) /* NOLINT(misc-no-recursion) */
{
    if (ends_at_a_root(s)) {
        return true;
    }
    if (s->len == PLAT_PATH_LONGEST) {
        note(s, UNUSABLE, PLAT_ERR_CERT_UNTRUSTED, "the chain of certificates is too long");
        return false;
    }
    note_end(s);
    for (size_t i = 1; i < s->task->count && s->reached != ENDED; i++) {
        if (!take_step(s) || !may_go_through(s, i)) {
            continue;
        }
        s->path[s->len++] = i;
        if (climb(s)) {
            return true;
        }
        s->len--;
    }
    return false;
}

plat_result plat_path_find(const plat_path_task *task, int64_t *valid_until_s, const char **why)
{
    search s = {
        .task = task,
        .path = { 0 },
        .len = 1,
        .signatures = PLAT_PATH_SIGNATURES,
        .work = PLAT_PATH_COMPARISONS,
    };
    if (!climb(&s)) {
        *why = s.why;
        return s.result;
    }
    *valid_until_s = s.valid_until_s;
    for (size_t depth = 0; depth < s.len; depth++) {
        int64_t end = in_path(&s, depth)->not_after;
        *valid_until_s = end < *valid_until_s ? end : *valid_until_s;
    }
    return PLAT_OK;
}
