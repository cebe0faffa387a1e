#include "wolfssl/x509/name_constraints.h"

#include <string.h>

#include "wolfssl/x509/host_name.h"

#define BYTES_OF_WORK 64u /* this many bytes of directory names count as one comparison */

static const char outside[] = "a name is outside what its issuer may sign";
static const char malformed[] = "a CA of the chain has malformed name constraints";
static const char unprocessed[] =
    "a name is of a kind that its issuer constrains, and that is not understood here";
static const char no_name[] = "a name that its issuer constrains is malformed";
static const char too_much[] = "the chain of certificates has too many names to compare";

typedef struct subtrees {
    plat_der permitted;
    plat_der excluded;
} subtrees;

/* --- text --- */

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool same_text(plat_der a, plat_der b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

static plat_der last(plat_der text, size_t len)
{
    return (plat_der){ text.at + (text.len - len), len };
}

static plat_der after(plat_der text, size_t skipped)
{
    return last(text, text.len - skipped);
}

static bool begins_with(plat_der text, char c)
{
    return text.len > 0 && text.at[0] == (uint8_t)c;
}

static size_t index_of(plat_der text, char c)
{
    const uint8_t *found = text.len > 0 ? memchr(text.at, c, text.len) : NULL;
    return found != NULL ? (size_t)(found - text.at) : text.len;
}

static bool is_host(plat_der text)
{
    return plat_host_is_name(text.at, text.len);
}

/* --- one name against one subtree --- */

/* Returns whether name ends with base, which begins with a dot, and has at least one character
 * before it. */
static bool is_strictly_below(plat_der name, plat_der base)
{
    return name.len > base.len && same_text(last(name, base.len), base);
}

/* Returns whether base covers the name. "example.com" covers itself and the names below it.
 * ".example.com" covers only the names below it, as in OpenSSL. */
static bool is_host_below(plat_der name, plat_der base)
{
    if (base.len == 0 || begins_with(base, '.')) {
        return base.len == 0 || is_strictly_below(name, base);
    }
    return same_text(name, base) ||
           (is_strictly_below(name, base) && name.at[name.len - base.len - 1] == '.');
}

/* Returns whether the wildcard may stand for a name that base covers: "*.example.com" may stand
 * for "a.example.com", although it is not below that name. */
static bool may_stand_for(plat_der wildcard, plat_der base)
{
    size_t label = index_of(base, '.');
    return label > 0 && same_text(after(wildcard, 1), after(base, label));
}

static bool is_address_below(plat_der address, plat_der base)
{
    if (base.len != 2 * address.len) {
        return false; /* one is an IPv4 address and the other an IPv6 address */
    }
    for (size_t i = 0; i < address.len; i++) {
        if (((address.at[i] ^ base.at[i]) & base.at[address.len + i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Returns whether base covers the mailbox. Its host is after the last '@'; the part before it is
 * compared with regard to case. */
static bool is_mailbox_below(plat_der name, plat_der base)
{
    size_t at = name.len;
    while (at > 0 && name.at[at - 1] != '@') {
        at--;
    }
    plat_der host = after(name, at);
    size_t base_at = index_of(base, '@');
    if (base_at < base.len) {
        const plat_der box = { name.at, at };
        const plat_der base_box = { base.at, base_at + 1 };
        return plat_der_equals(box, base_box) && same_text(host, after(base, base_at + 1));
    }
    return begins_with(base, '.') ? is_strictly_below(host, base)
                                  : base.len == 0 || same_text(host, base);
}

/* Returns the host of scheme://user@host:port/path; empty if there is no host, or if it is an
 * address. */
static plat_der host_of_uri(plat_der uri)
{
    const plat_der none = { uri.at, 0 };
    size_t colon = index_of(uri, ':');
    if (uri.len - colon < 3 || uri.at[colon + 1] != '/' || uri.at[colon + 2] != '/') {
        return none;
    }
    plat_der host = after(uri, colon + 3);
    for (const char *end = "/?#"; *end != '\0'; end++) {
        host.len = index_of(host, *end);
    }
    size_t user = index_of(host, '@');
    host = user < host.len ? after(host, user + 1) : host;
    host.len = index_of(host, ':');
    plat_host parsed;
    char text[PLAT_HOST_NAME_MAX + 1] = "";
    if (host.len > PLAT_HOST_NAME_MAX || !is_host(host)) {
        return none;
    }
    memcpy(text, host.at, host.len);
    return plat_host_parse(&parsed, text) && parsed.ip_len == 0 ? host : none;
}

static bool is_uri_below(plat_der name, plat_der base)
{
    plat_der host = host_of_uri(name);
    return begins_with(base, '.') ? is_strictly_below(host, base)
                                  : base.len == 0 || same_text(host, base);
}

static bool is_below(const plat_general_name *name, plat_der base)
{
    switch (name->kind) {
    case PLAT_GENERAL_DNS: return is_host_below(name->value, base);
    case PLAT_GENERAL_IP: return is_address_below(name->value, base);
    case PLAT_GENERAL_DIRECTORY: return plat_name_is_below(name->value, base);
    case PLAT_GENERAL_EMAIL: return is_mailbox_below(name->value, base);
    case PLAT_GENERAL_URI: return is_uri_below(name->value, base);
    case PLAT_GENERAL_OTHER:
    case PLAT_GENERAL_X400:
    case PLAT_GENERAL_EDI:
    case PLAT_GENERAL_REGISTERED: break;
    }
    return false;
}

static bool may_be_below(const plat_general_name *name, plat_der base)
{
    bool wildcard = name->kind == PLAT_GENERAL_DNS && begins_with(name->value, '*');
    return is_below(name, base) || (wildcard && may_stand_for(name->value, base));
}

/* --- what is well-formed --- */

static bool is_contiguous(plat_der mask)
{
    bool ended = false;
    for (size_t i = 0; i < 8 * mask.len; i++) {
        bool bit = (mask.at[i / 8] >> (7 - i % 8) & 1) != 0;
        if (bit && ended) {
            return false;
        }
        ended = !bit;
    }
    return true;
}

static bool is_host_base(plat_der base)
{
    return base.len == 0 || is_host(begins_with(base, '.') ? after(base, 1) : base);
}

static bool is_sound_base(const plat_general_name *base)
{
    size_t at;
    switch (base->kind) {
    case PLAT_GENERAL_DNS:
    case PLAT_GENERAL_URI: return is_host_base(base->value);
    case PLAT_GENERAL_EMAIL:
        at = index_of(base->value, '@');
        return is_host_base(at < base->value.len ? after(base->value, at + 1) : base->value);
    case PLAT_GENERAL_IP:
        return (base->value.len == 8 || base->value.len == 32) &&
               is_contiguous(last(base->value, base->value.len / 2));
    case PLAT_GENERAL_OTHER:
    case PLAT_GENERAL_X400:
    case PLAT_GENERAL_DIRECTORY:
    case PLAT_GENERAL_EDI:
    case PLAT_GENERAL_REGISTERED: break;
    }
    return true;
}

static bool is_sound_name(const plat_general_name *name)
{
    size_t at;
    switch (name->kind) {
    case PLAT_GENERAL_DNS:
        at = name->value.len > 2 && name->value.at[0] == '*' && name->value.at[1] == '.' ? 2 : 0;
        return is_host(after(name->value, at));
    case PLAT_GENERAL_EMAIL:
        at = index_of(name->value, '@');
        return at > 0 && at + 1 < name->value.len;
    case PLAT_GENERAL_URI: return host_of_uri(name->value).len > 0;
    case PLAT_GENERAL_IP:
    case PLAT_GENERAL_DIRECTORY: return true;
    case PLAT_GENERAL_OTHER: /* not supported by this library */
    case PLAT_GENERAL_X400:
    case PLAT_GENERAL_EDI:
    case PLAT_GENERAL_REGISTERED: break;
    }
    return false;
}

/* Takes a subtree. RFC 5280 allows no maximum, and no minimum except the default. */
static bool take_subtree(plat_der *in, plat_general_name *base)
{
    plat_der content;
    return plat_der_take(in, PLAT_DER_SEQUENCE, &content) && plat_general_next(&content, base) &&
           content.len == 0 && is_sound_base(base);
}

static bool are_sound(plat_der list, uint32_t *work)
{
    plat_general_name base;
    while (list.len > 0 && *work > 0) {
        --*work;
        if (!take_subtree(&list, &base)) {
            return false;
        }
    }
    return true;
}

static bool read_subtrees(plat_der in, subtrees *out, uint32_t *work)
{
    bool permitted, excluded;
    return plat_der_take_optional(&in, PLAT_DER_CONTEXT_CONSTRUCTED + 0, &out->permitted,
                                  &permitted) &&
           plat_der_take_optional(&in, PLAT_DER_CONTEXT_CONSTRUCTED + 1, &out->excluded,
                                  &excluded) &&
           in.len == 0 && (permitted || excluded) && permitted == (out->permitted.len > 0) &&
           excluded == (out->excluded.len > 0) && are_sound(out->permitted, work) &&
           are_sound(out->excluded, work);
}

/* --- the names of a certificate --- */

/* Takes the next subtree of this kind. */
static bool next_of_kind(plat_der *list, plat_general_kind kind, plat_general_name *base,
                         uint32_t *work)
{
    while (list->len > 0 && *work > 0 && take_subtree(list, base)) {
        uint32_t cost = base->kind == kind ? 1u + (uint32_t)(base->value.len / BYTES_OF_WORK) : 1u;
        *work -= cost < *work ? cost : *work;
        if (base->kind == kind) {
            return true;
        }
    }
    return false;
}

static bool are_of_kind(plat_der list, plat_general_kind kind, uint32_t *work)
{
    plat_general_name base;
    return next_of_kind(&list, kind, &base, work);
}

static bool is_permitted(plat_der list, const plat_general_name *name, uint32_t *work)
{
    plat_general_name base;
    bool unconstrained = true;
    while (next_of_kind(&list, name->kind, &base, work)) {
        unconstrained = false;
        if (is_below(name, base.value)) {
            return true;
        }
    }
    return unconstrained;
}

static bool is_excluded(plat_der list, const plat_general_name *name, uint32_t *work)
{
    plat_general_name base;
    while (next_of_kind(&list, name->kind, &base, work)) {
        if (may_be_below(name, base.value)) {
            return true;
        }
    }
    return false;
}

static const char *refuse_name(const subtrees *s, plat_general_name name, uint32_t *work)
{
    if (!are_of_kind(s->permitted, name.kind, work) && !are_of_kind(s->excluded, name.kind, work)) {
        return NULL;
    }
    if (!is_sound_name(&name)) {
        bool known = name.kind == PLAT_GENERAL_DNS || name.kind == PLAT_GENERAL_EMAIL ||
                     name.kind == PLAT_GENERAL_URI;
        return known ? no_name : unprocessed;
    }
    return is_permitted(s->permitted, &name, work) && !is_excluded(s->excluded, &name, work)
               ? NULL
               : outside;
}

/* Checks the subject. An emailAddress in it is a mailbox as well, but it is not compared: the
 * certificate is refused if mailboxes are constrained. */
static const char *refuse_subject(const subtrees *s, const plat_certificate *c, uint32_t *work)
{
    const plat_general_name name = { PLAT_GENERAL_DIRECTORY, c->subject };
    const char *why = c->subject.len > 0 ? refuse_name(s, name, work) : NULL;
    if (why != NULL || !plat_name_has_email(c->subject)) {
        return why;
    }
    return are_of_kind(s->permitted, PLAT_GENERAL_EMAIL, work) ||
                   are_of_kind(s->excluded, PLAT_GENERAL_EMAIL, work)
               ? unprocessed
               : NULL;
}

const char *plat_constraints_refuse(plat_der constraints, const plat_certificate *c, uint32_t *work)
{
    subtrees s;
    plat_general_name name;
    if (!read_subtrees(constraints, &s, work)) {
        return malformed;
    }
    const char *why = refuse_subject(&s, c, work);
    for (plat_der in = c->extensions.alt_names; why == NULL && in.len > 0 && *work > 0;) {
        why = plat_general_next(&in, &name) ? refuse_name(&s, name, work) : malformed;
    }
    return *work == 0 ? too_much : why;
}
