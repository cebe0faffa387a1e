#ifndef TEST_FAKE_KV_H
#define TEST_FAKE_KV_H

/**
 * @file
 * A store of named values in memory. Its calls fail when the test wants it.
 */

#include "platform/kv.h"

enum { FAKE_KV_VALUES = 4, FAKE_KV_SIZE = 1024 };

typedef struct fake_kv {
    plat_kv base;
    plat_result get_fails; /* result of get; anything but PLAT_OK makes it fail */
    plat_result put_fails;
    struct {
        char key[PLAT_KV_KEY_MAX + 1]; /* "": free */
        char data[FAKE_KV_SIZE];
        size_t len;
    } values[FAKE_KV_VALUES];
    unsigned gets;
    unsigned puts;
} fake_kv;

void fake_kv_init(fake_kv *kv);

#endif
