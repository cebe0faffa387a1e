#include "fake_kv.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fake_kv *self(plat_kv *kv)
{
    return (fake_kv *)(void *)kv;
}

/* Returns the index of a key, or of a free entry if the key is missing. */
static size_t place_of(const fake_kv *f, const char *key)
{
    for (size_t i = 0; i < FAKE_KV_VALUES; i++) {
        if (strcmp(f->values[i].key, key) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < FAKE_KV_VALUES; i++) {
        if (f->values[i].key[0] == '\0') {
            return i;
        }
    }
    fprintf(stderr, "fake_kv: more values than FAKE_KV_VALUES\n");
    abort();
}

static plat_result get(plat_kv *kv, const char *key, void *buf, size_t cap, size_t *len)
{
    fake_kv *f = self(kv);
    const size_t i = place_of(f, key);

    f->gets++;
    if (f->get_fails != PLAT_OK) {
        return f->get_fails;
    }
    if (f->values[i].key[0] == '\0') {
        return PLAT_EOF;
    }
    *len = f->values[i].len;
    if (*len > cap) {
        return PLAT_ERR_NO_SPACE;
    }
    memcpy(buf, f->values[i].data, *len);
    return PLAT_OK;
}

static plat_result put(plat_kv *kv, const char *key, const void *data, size_t len)
{
    fake_kv *f = self(kv);
    const size_t i = place_of(f, key);

    f->puts++;
    if (f->put_fails != PLAT_OK || len > FAKE_KV_SIZE) {
        return f->put_fails != PLAT_OK ? f->put_fails : PLAT_ERR_FULL;
    }
    snprintf(f->values[i].key, sizeof f->values[i].key, "%s", key);
    memcpy(f->values[i].data, data, len);
    f->values[i].len = len;
    return PLAT_OK;
}

static plat_result remove_value(plat_kv *kv, const char *key)
{
    fake_kv *f = self(kv);

    f->values[place_of(f, key)].key[0] = '\0';
    return PLAT_OK;
}

static const char *detail(const plat_kv *kv)
{
    (void)kv;
    return "the disk is on fire";
}

static const plat_kv_ops ops = {
    .get = get,
    .put = put,
    .remove = remove_value,
    .detail = detail,
};

void fake_kv_init(fake_kv *kv)
{
    memset(kv, 0, sizeof *kv);
    kv->base.ops = &ops;
}
