#include "chain_model.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

#include "chain_words.h"

enum { PATH_MAX_CERTS = 10 };

typedef struct model {
    const made_chain *made;
    const plan *p;
    /* Indexes of the certificates in the path; the server's own is the first. */
    uint8_t path[PATH_MAX_CERTS];
    size_t len;
} model;

/* --- names ---------------------------------------------------------------------------- */

/* Returns a form of the name in which case and superfluous spaces do not matter (RFC 5280
 * section 7.1). */
static uint8_t canonical(uint8_t name)
{
    return name == 8 ? 1 : name;
}

static bool same_name(uint8_t a, uint8_t b)
{
    return canonical(a) == canonical(b);
}

static bool same_rdn(const plan_rdn *a, const plan_rdn *b)
{
    return a->type == b->type && strcasecmp(a->text, b->text) == 0;
}

static bool name_begins_with(uint8_t name, uint8_t base)
{
    const plan_rdn *n = plan_directory_names[canonical(name)];
    const plan_rdn *b = plan_directory_names[canonical(base)];
    for (size_t i = 0; i < PLAN_RDNS && b[i].type != 0; i++) {
        if (n[i].type == 0 || !same_rdn(&n[i], &b[i])) {
            return false;
        }
    }
    return true;
}

static bool is_self_issued(const plan_cert *c)
{
    return same_name(c->subject, c->issuer);
}

/* --- one certificate ------------------------------------------------------------------ */

/* Converts a date to seconds since 1970, without time_t, which may have 32 bits. */
static bool date_of(uint8_t date, int64_t *seconds)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    const char *text = plan_dates[date].text;
    const bool utc = plan_dates[date].tag == 0x17;
    char full[24];
    int year, month, day, hour, minute, second, read = 0;
    if (strlen(text) != (utc ? 13 : 15)) {
        return false;
    }
    (void)snprintf(full, sizeof full, "%s%s", !utc ? "" : text[0] >= '5' ? "19" : "20", text);
    if (sscanf(full, "%4d%2d%2d%2d%2d%2dZ%n", &year, &month, &day, &hour, &minute, &second,
               &read) != 6 ||
        read != 15) {
        return false;
    }
    int64_t years = year - 1;
    int64_t days =
        365 * years + years / 4 - years / 100 + years / 400 + before[month - 1] + day - 1;
    days += month > 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    *seconds = ((days - 719162) * 24 + hour) * 3600 + minute * 60 + second;
    return true;
}

static bool is_valid_today(const plan *p, const plan_cert *c)
{
    int64_t from;
    int64_t to;
    return date_of(c->from, &from) && date_of(c->to, &to) && from <= plan_times[p->now] &&
           plan_times[p->now] <= to;
}

static bool has_constraints(const plan_cert *c)
{
    return !c->version_1 && c->permitted.len + c->excluded.len > 0;
}

static bool is_ca(const plan_cert *c)
{
    return !c->version_1 && (c->basic == BASIC_CA || c->basic == BASIC_CA_NOT_CRITICAL);
}

static bool has_good_addresses(const plan_cert *c)
{
    for (uint8_t i = 0; i < c->names.len && !c->version_1; i++) {
        const plan_general *g = &plan_generals[c->names.at[i]];
        if (g->kind == GENERAL_IP && g->len != 4 && g->len != 16) {
            return false;
        }
    }
    return true;
}

static bool is_well_formed(const plan_cert *c)
{
    int64_t seconds;
    if (!has_good_addresses(c)) {
        return false;
    }
    return c->serial != 3 && plan_directory_names[c->issuer][0].type != 0 &&
           date_of(c->from, &seconds) && date_of(c->to, &seconds) &&
           (c->signer == PLAN_KEY_ED25519 || !c->other_algorithm) &&
           (c->version_1 || (c->extras & EXTRA_TWICE) == 0);
}

static bool may_serve(const plan_cert *c)
{
    return c->version_1 || c->eku == EKU_NONE || (c->eku & (EKU_SERVER | EKU_ANY)) != 0;
}

static bool has_only_known_extensions(const plan_cert *c)
{
    return c->version_1 || (c->extras & (EXTRA_UNKNOWN_CRITICAL | EXTRA_POLICY_CONSTRAINTS |
                                         EXTRA_POLICY_CONSTRAINTS_NOT_CRITICAL)) == 0;
}

static bool may_be_used(const plan *p, const plan_cert *c)
{
    return is_well_formed(c) && is_valid_today(p, c) && c->key != PLAN_KEY_P224 && may_serve(c) &&
           has_only_known_extensions(c) && (is_ca(c) || !has_constraints(c));
}

static bool may_sign(const plan_cert *c)
{
    return is_ca(c) && (c->usage == USAGE_NONE || (c->usage & USAGE_CERT_SIGN) != 0) &&
           plan_directory_names[c->subject][0].type != 0;
}

static bool has_strong_signature(const plan_cert *c)
{
    return c->signer == PLAN_KEY_ED25519 || c->hash != HASH_SHA1;
}

/* --- the server's own ----------------------------------------------------------------- */

static bool dns_stands_for(const char *san, size_t len, const char *host)
{
    char text[256] = { 0 };
    if (len >= sizeof text || memchr(san, '\0', len) != NULL) {
        return false;
    }
    memcpy(text, san, len);
    if (strncmp(text, "*.", 2) == 0) {
        const char *dot = strchr(host, '.');
        return dot != NULL && strchr(text + 2, '.') != NULL && strcasecmp(dot, text + 1) == 0;
    }
    return strcasecmp(text, host) == 0;
}

static bool is_for_host(const plan *p, const plan_cert *c)
{
    const char *host = plan_hosts[p->host];
    uint8_t ip[16];
    size_t ip_len = inet_pton(AF_INET, host, ip) == 1    ? 4
                    : inet_pton(AF_INET6, host, ip) == 1 ? 16
                                                         : 0;
    for (uint8_t i = 0; i < c->names.len && !c->version_1; i++) {
        const plan_general *g = &plan_generals[c->names.at[i]];
        if (ip_len > 0
                ? g->kind == GENERAL_IP && g->len == ip_len && memcmp(g->bytes, ip, ip_len) == 0
                : g->kind == GENERAL_DNS && dns_stands_for(g->bytes, g->len, host)) {
            return true;
        }
    }
    return false;
}

static bool is_good_for_server(const plan *p, const plan_cert *c)
{
    const bool nameless = plan_directory_names[c->subject][0].type == 0;
    return is_for_host(p, c) && has_strong_signature(c) &&
           (c->usage == USAGE_NONE || (c->usage & USAGE_SIGN) != 0) &&
           (is_ca(c) || (c->usage & USAGE_CERT_SIGN) == 0) && (!nameless || c->names_critical);
}

/* --- name constraints ----------------------------------------------------------------- */

/* Returns whether the text consists of labels of letters, digits, hyphens and underscores. */
static bool is_host_name(const char *text, size_t len)
{
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (c == '.' ? label == 0 : !isalnum((unsigned char)c) && c != '-' && c != '_') {
            return false;
        }
        label = c == '.' ? 0 : label + 1;
    }
    return label > 0;
}

static bool is_good_range(const plan_general *base)
{
    const size_t half = base->len / 2;
    bool ended = false;
    for (size_t bit = 0; bit < 8 * half; bit++) {
        const bool set = ((uint8_t)base->bytes[half + bit / 8] << bit % 8 & 0x80) != 0;
        if (set && ended) {
            return false;
        }
        ended = !set;
    }
    return base->len == 8 || base->len == 32;
}

static bool is_good_base(const plan_general *base)
{
    const char *at = memchr(base->bytes, '@', base->len);
    const size_t skipped = base->kind == GENERAL_EMAIL && at != NULL
                               ? (size_t)(at + 1 - base->bytes)
                           : base->len > 0 && base->bytes[0] == '.' ? 1
                                                                    : 0;
    switch (base->kind) {
    case GENERAL_DNS:
    case GENERAL_URI:
    case GENERAL_EMAIL:
        return base->len == 0 || is_host_name(base->bytes + skipped, base->len - skipped);
    case GENERAL_IP: return is_good_range(base);
    case GENERAL_DIRECTORY:
    case GENERAL_OTHER:
    case GENERAL_ID: break;
    }
    return true;
}

/* Returns whether the name is valid; it is written for the names of plan_generals only. */
static bool can_be_compared(const plan_general *name)
{
    const size_t skipped = name->len > 2 && memcmp(name->bytes, "*.", 2) == 0 ? 2 : 0;
    switch (name->kind) {
    case GENERAL_DNS: return is_host_name(name->bytes + skipped, name->len - skipped);
    case GENERAL_EMAIL: return strchr(name->bytes, '@') != NULL;
    case GENERAL_URI: return strstr(name->bytes, "://") != NULL;
    case GENERAL_IP:
    case GENERAL_DIRECTORY: return true;
    case GENERAL_OTHER:
    case GENERAL_ID: break;
    }
    return false;
}

/* Returns whether the name ends with the labels of the base. A base that begins with a dot
 * includes only names below it. */
static bool ends_with_labels(const char *name, const char *base)
{
    size_t n = strlen(name);
    size_t b = strlen(base);
    if (b == 0 || n < b || strncasecmp(name + n - b, base, b) != 0) {
        return b == 0;
    }
    return base[0] == '.' ? n > b : n == b || name[n - b - 1] == '.';
}

/* Returns whether the wildcard, which stands for one label, can match a name below the base. */
static bool wildcard_reaches(const char *wildcard, const char *base)
{
    const char *dot = strchr(base, '.');
    return strncmp(wildcard, "*.", 2) == 0 && dot != NULL && dot != base &&
           strcasecmp(dot, wildcard + 1) == 0;
}

static bool ip_inside(const plan_general *name, const plan_general *base)
{
    if (base->len != 2 * name->len) {
        return false;
    }
    for (size_t i = 0; i < name->len; i++) {
        if (((name->bytes[i] ^ base->bytes[i]) & base->bytes[name->len + i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Returns whether the host of a mailbox or URI is the host `base` or, if that begins with a dot,
 * in that domain. */
static bool host_inside(const char *host, const char *base)
{
    return base[0] == '.' ? ends_with_labels(host, base)
                          : base[0] == '\0' || strcasecmp(host, base) == 0;
}

static bool inside(const plan_general *name, const plan_general *base, bool maybe)
{
    switch (name->kind) {
    case GENERAL_DNS:
        return ends_with_labels(name->bytes, base->bytes) ||
               (maybe && wildcard_reaches(name->bytes, base->bytes));
    case GENERAL_IP: return ip_inside(name, base);
    case GENERAL_DIRECTORY:
        return name_begins_with((uint8_t)name->bytes[0], (uint8_t)base->bytes[0]);
    case GENERAL_EMAIL:
        return strchr(base->bytes, '@') != NULL
                   ? strcasecmp(name->bytes, base->bytes) == 0
                   : host_inside(strchr(name->bytes, '@') + 1, base->bytes);
    case GENERAL_URI: return host_inside("hub.judge.test", base->bytes);
    case GENERAL_OTHER:
    case GENERAL_ID: break;
    }
    return maybe;
}

static bool is_constrained(const plan_list *list, plan_general_kind kind)
{
    for (uint8_t i = 0; i < list->len; i++) {
        if (plan_generals[list->at[i]].kind == kind) {
            return true;
        }
    }
    return false;
}

static bool is_in_list(const plan_list *list, const plan_general *name, bool maybe)
{
    for (uint8_t i = 0; i < list->len; i++) {
        const plan_general *base = &plan_generals[list->at[i]];
        if (base->kind == name->kind && inside(name, base, maybe)) {
            return true;
        }
    }
    return false;
}

static bool name_is_allowed(const plan_general *name, const plan_cert *ca)
{
    const bool permits = is_constrained(&ca->permitted, name->kind);
    const bool excludes = is_constrained(&ca->excluded, name->kind);
    if ((permits || excludes) && !can_be_compared(name)) {
        return false;
    }
    return !is_in_list(&ca->excluded, name, true) &&
           (!permits || is_in_list(&ca->permitted, name, false));
}

static bool has_good_constraints(const plan_cert *ca)
{
    for (uint8_t i = 0; i < ca->permitted.len; i++) {
        if (!is_good_base(&plan_generals[ca->permitted.at[i]])) {
            return false;
        }
    }
    for (uint8_t i = 0; i < ca->excluded.len; i++) {
        if (!is_good_base(&plan_generals[ca->excluded.at[i]])) {
            return false;
        }
    }
    return true;
}

static bool names_are_allowed(const plan_cert *c, const plan_cert *ca)
{
    const char subject[] = { (char)c->subject };
    const plan_general directory = { GENERAL_DIRECTORY, subject, 1 };
    if (!has_good_constraints(ca) ||
        (plan_directory_names[c->subject][0].type != 0 && !name_is_allowed(&directory, ca))) {
        return false;
    }
    for (uint8_t i = 0; i < c->names.len && !c->version_1; i++) {
        if (!name_is_allowed(&plan_generals[c->names.at[i]], ca)) {
            return false;
        }
    }
    return true;
}

/* --- paths ---------------------------------------------------------------------------- */

/* Returns whether the CA may stand above the first `below` certificates of the path. */
static bool allows(const model *m, const plan_cert *ca, size_t below)
{
    int counted = 0;
    for (size_t i = 0; i < below; i++) {
        const plan_cert *c = &m->p->certs[m->path[i]];
        const bool exempt = i > 0 && is_self_issued(c);
        counted += i > 0 && !exempt;
        if (has_constraints(ca) && !exempt && !names_are_allowed(c, ca)) {
            return false;
        }
    }
    return ca->path_len < 0 || ca->version_1 || counted <= ca->path_len;
}

static bool path_is_good(const model *m, const plan_cert *anchor)
{
    const bool old = anchor->version_1 && is_self_issued(anchor);
    if (!may_be_used(m->p, anchor) || !(old || may_sign(anchor)) || !allows(m, anchor, m->len)) {
        return false;
    }
    for (size_t i = 0; i < m->len; i++) {
        const plan_cert *c = &m->p->certs[m->path[i]];
        if (!may_be_used(m->p, c) || !has_strong_signature(c) ||
            (i > 0 && !(may_sign(c) && allows(m, c, i)))) {
            return false;
        }
    }
    return true;
}

/* Returns whether the key identifiers agree; they are compared only if both certificates have
 * one. */
static bool ids_agree(const plan_cert *up, const plan_cert *c)
{
    const plan_id its = up->version_1 ? ID_NONE : up->subject_id;
    const plan_id wanted = c->version_1 ? ID_NONE : c->authority_id;
    return its == ID_NONE || wanted == ID_NONE || its == wanted;
}

static bool has_signed(const plan_cert *up, const plan_cert *c)
{
    return same_name(up->subject, c->issuer) && up->key == c->signer && ids_agree(up, c);
}

static bool is_in_path(const model *m, uint8_t cert)
{
    return memchr(m->path, cert, m->len) != NULL;
}

static bool search(model *m)
{
    const plan_cert *last = &m->p->certs[m->path[m->len - 1]];
    for (uint8_t i = 0; i < m->p->count; i++) {
        if (m->p->trusted[i] && has_signed(&m->p->certs[i], last) &&
            path_is_good(m, &m->p->certs[i])) {
            return true;
        }
    }
    for (uint8_t i = 1; i < m->p->presented_len && m->len < PATH_MAX_CERTS; i++) {
        uint8_t up = m->p->presented[i];
        if (is_in_path(m, up) || !has_signed(&m->p->certs[up], last)) {
            continue;
        }
        m->path[m->len++] = up;
        if (search(m)) {
            return true;
        }
        m->len--;
    }
    return false;
}

static bool is_itself_trusted(const model *m, uint8_t cert)
{
    const made_cert *c = &m->made->certs[cert];
    for (uint8_t i = 0; i < m->p->count; i++) {
        const made_cert *t = &m->made->certs[i];
        if (m->p->trusted[i] && t->len == c->len && memcmp(t->der, c->der, c->len) == 0) {
            return true;
        }
    }
    return false;
}

bool chain_model_knows(const plan *p)
{
    for (uint8_t i = 0; i < p->count; i++) {
        if (p->certs[i].before.change != 0 || p->certs[i].after.change != 0) {
            return false;
        }
    }
    return true;
}

bool chain_model_accepts(const made_chain *made, const plan *p)
{
    model m = { .made = made, .p = p, .len = 1 };
    if (p->presented_len == 0) {
        return false;
    }
    m.path[0] = p->presented[0];
    const plan_cert *own = &p->certs[m.path[0]];
    if (!is_good_for_server(p, own)) {
        return false;
    }
    if (is_itself_trusted(&m, m.path[0])) {
        return may_be_used(p, own) && has_strong_signature(own);
    }
    return search(&m);
}
