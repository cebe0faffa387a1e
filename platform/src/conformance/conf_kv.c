#include <string.h>

#include "conformance/conf_groups.h"

#define OPEN   "the open function of the values"
#define GET    "plat_kv.get"
#define PUT    "plat_kv.put"
#define REMOVE "plat_kv.remove"
#define DETAIL "plat_kv.detail"

enum { OLD = 300, NEW = 500, CUTS = 40 };

static const char key[] = "Key-1_.x";

struct drawer {
    struct conf_run *run;
    plat_kv *kv;
};

static bool open_drawer(struct drawer *d)
{
    const plat_conformance_kv *c = d->run->c->kv;

    d->kv = NULL;
    plat_result r = c->open(c->user, &d->kv);
    return conf_run_rule(d->run, r == PLAT_OK && d->kv != NULL, OPEN, "it opens the store");
}

static bool reopen(struct drawer *d)
{
    const plat_conformance_kv *c = d->run->c->kv;

    c->close(c->user, d->kv);
    return open_drawer(d);
}

/* Writes a value of a size, from which its bytes follow. */
static plat_result put(struct drawer *d, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        d->run->out[i] = conf_run_byte((uint32_t)(len + i));
    }
    return d->kv->ops->put(d->kv, name, d->run->out, len);
}

static bool has(struct drawer *d, const char *name, size_t wanted)
{
    size_t len = 0;

    if (d->kv->ops->get(d->kv, name, d->run->in, CONF_BYTES, &len) != PLAT_OK || len != wanted) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (d->run->in[i] != conf_run_byte((uint32_t)(len + i))) {
            return false;
        }
    }
    return true;
}

static bool has_none(struct drawer *d, const char *name)
{
    size_t len;

    return d->kv->ops->get(d->kv, name, d->run->in, CONF_BYTES, &len) == PLAT_EOF;
}

static void check_values(struct drawer *d)
{
    size_t len = 0;

    conf_run_rule(d->run, has_none(d, key), GET, "without such a value it returns PLAT_EOF");
    conf_run_rule(d->run, put(d, key, OLD) == PLAT_OK && has(d, key, OLD), PUT,
                  "it writes a value");
    conf_run_rule(d->run, put(d, key, NEW) == PLAT_OK && has(d, key, NEW), PUT,
                  "it replaces a value by a longer one");
    conf_run_rule(d->run, put(d, key, OLD) == PLAT_OK && has(d, key, OLD), PUT,
                  "it replaces a value by a shorter one");
    conf_run_rule(d->run, put(d, "other", 0) == PLAT_OK && has(d, "other", 0), PUT,
                  "a value may be empty");
    conf_run_rule(d->run, has(d, key, OLD), PUT, "it leaves other values alone");
    plat_result r = d->kv->ops->get(d->kv, key, d->run->in, OLD - 1, &len);
    conf_run_rule(d->run, r == PLAT_ERR_NO_SPACE && len == OLD, GET,
                  "too little room is PLAT_ERR_NO_SPACE, and *len is the size");
    conf_run_rule(d->run, d->kv->ops->get(d->kv, key, d->run->in, OLD, &len) == PLAT_OK, GET,
                  "exact room is enough");
    conf_run_rule(d->run, d->kv->ops->detail(d->kv)[0] == '\0', DETAIL,
                  "it is \"\" without a failure");
}

static void check_keys(struct drawer *d)
{
    static const char *const bad[] = { "", ".x", "a/b", "a b", "\xc3\xa4" };
    char longest[PLAT_KV_KEY_MAX + 2];
    bool refused = true;

    memset(longest, 'k', sizeof longest);
    longest[PLAT_KV_KEY_MAX + 1] = '\0';
    refused = put(d, longest, 1) == PLAT_ERR_ARG;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused = refused && put(d, bad[i], 1) == PLAT_ERR_ARG;
    }
    conf_run_rule(d->run, refused, PUT, "what is not a key is PLAT_ERR_ARG");
    longest[PLAT_KV_KEY_MAX] = '\0';
    conf_run_rule(d->run, put(d, longest, 1) == PLAT_OK && has(d, longest, 1), PUT,
                  "a key may have PLAT_KV_KEY_MAX characters");
    (void)d->kv->ops->remove(d->kv, longest);
}

static void check_removing(struct drawer *d)
{
    conf_run_rule(d->run,
                  d->kv->ops->remove(d->kv, "other") == PLAT_OK && has_none(d, "other") &&
                      has(d, key, OLD),
                  REMOVE, "it removes one value");
    conf_run_rule(d->run, d->kv->ops->remove(d->kv, "other") == PLAT_OK, REMOVE,
                  "it is no error if there is no such value");
}

/* The power fails while a value is replaced: it is the old or the new one. */
static bool check_cuts(struct drawer *d)
{
    const plat_conformance_kv *c = d->run->c->kv;
    bool whole = true;
    bool kept = true;

    for (uint32_t n = 1; n <= CUTS; n++) {
        if (put(d, key, OLD) != PLAT_OK) {
            whole = false;
            break;
        }
        c->cut_in(c->user, n);
        const plat_result r = put(d, key, NEW);
        if (!reopen(d)) {
            return false;
        }
        whole = whole && (has(d, key, OLD) || has(d, key, NEW));
        kept = kept && (r != PLAT_OK || has(d, key, NEW));
    }
    conf_run_rule(d->run, whole, PUT,
                  "after a loss of power the value is the old one or the new one, as a whole");
    return conf_run_rule(d->run, kept, PUT, "after PLAT_OK the value survives a loss of power");
}

void conf_kv(struct conf_run *run)
{
    struct drawer d = { .run = run };

    if (!open_drawer(&d)) {
        return;
    }
    check_values(&d);
    check_keys(&d);
    check_removing(&d);
    if (!reopen(&d)) {
        return;
    }
    conf_run_rule(run, has(&d, key, OLD), PUT, "a value is there after the store was opened again");
    conf_run_rule(run, has_none(&d, "other"), REMOVE, "a removed value does not come back");
    if (run->c->kv->cut_in != NULL && !check_cuts(&d)) {
        return;
    }
    run->c->kv->close(run->c->kv->user, d.kv);
}
