#include "store_fixture.h"

#include <string.h>

enum { LARGEST = 9000 };

plat_result store_try_open(struct store_fixture *f)
{
    plat_result r = f->try_open(f);

    assert_int_equal(r == PLAT_OK, f->store != NULL);
    return r;
}

void store_open(struct store_fixture *f)
{
    if (store_try_open(f) != PLAT_OK) {
        fail_msg("%s", f->detail);
    }
}

void store_close(struct store_fixture *f)
{
    plat_result r = f->store->ops->close(f->store);

    f->store = NULL;
    assert_int_equal(r, PLAT_OK);
}

void store_reopen(struct store_fixture *f)
{
    store_close(f);
    store_open(f);
}

/* Sizes of all kinds: empty, smaller than a page, larger than several pages. */
static size_t head_len(uint64_t number)
{
    return (size_t)(number * 7 % 61);
}

static size_t body_len(uint64_t number)
{
    return number % 17 == 0 ? 0 : number % 23 == 0 ? LARGEST - (size_t)(number % 1000) : 256;
}

static void fill(uint8_t *out, size_t len, uint64_t number)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(number * 31 + i * 7 + (i >> 8));
    }
}

plat_result store_try_append(struct store_fixture *f, uint64_t number)
{
    static uint8_t head[LARGEST];
    static uint8_t body[LARGEST];
    plat_store_record r = {
        .stored_s = -(int64_t)number,
        .tag = UINT64_MAX - number,
        .id = (uint32_t)number | 0x80000000u,
        .ttl_ms = (uint32_t)number + 1,
        .flags = (uint32_t)number * 3,
        .head = head,
        .head_len = head_len(number),
        .body = body,
        .body_len = body_len(number),
    };

    fill(head, r.head_len, number);
    fill(body, r.body_len, number + 1);
    return f->store->ops->append(f->store, &r, 1000);
}

void store_append(struct store_fixture *f, uint64_t number)
{
    if (store_try_append(f, number) != PLAT_OK) {
        fail_msg("%llu: %s", (unsigned long long)number, f->store->ops->detail(f->store));
    }
}

void store_append_many(struct store_fixture *f, uint64_t first, uint64_t last)
{
    for (uint64_t n = first; n <= last; n++) {
        store_append(f, n);
    }
}

bool store_record_is(const plat_store_record *r, uint64_t number)
{
    uint8_t wanted[LARGEST];

    if (r->stored_s != -(int64_t)number || r->tag != UINT64_MAX - number ||
        r->id != ((uint32_t)number | 0x80000000u) || r->ttl_ms != (uint32_t)number + 1 ||
        r->flags != (uint32_t)number * 3 || r->head_len != head_len(number) ||
        r->body_len != body_len(number)) {
        return false;
    }
    fill(wanted, r->head_len, number);
    if (r->head_len > 0 && memcmp(r->head, wanted, r->head_len) != 0) {
        return false;
    }
    fill(wanted, r->body_len, number + 1);
    return r->body_len == 0 || memcmp(r->body, wanted, r->body_len) == 0;
}

plat_store_info store_get_info(const struct store_fixture *f)
{
    plat_store_info info;

    f->store->ops->info(f->store, &info);
    return info;
}

void store_remove(struct store_fixture *f, uint64_t seq)
{
    assert_int_equal(f->store->ops->remove(f->store, seq, 1000), PLAT_OK);
}

void store_expect(struct store_fixture *f, uint64_t first, uint64_t last)
{
    plat_store_record r;
    uint64_t seq = 0;
    uint64_t bytes = 0;

    for (uint64_t n = first; n <= last; n++) {
        plat_result result = f->store->ops->read(f->store, seq, &r);
        if (result != PLAT_OK || !store_record_is(&r, n)) {
            fail_msg("record %llu: %s", (unsigned long long)n, f->store->ops->detail(f->store));
        }
        assert_true(r.seq >= seq);
        seq = r.seq + 1;
        bytes += r.head_len + r.body_len;
    }
    assert_int_equal(f->store->ops->read(f->store, seq, &r), PLAT_EOF);
    assert_int_equal(store_get_info(f).count, last + 1 - first);
    assert_int_equal(store_get_info(f).bytes, bytes);
    assert_true(store_get_info(f).next_seq >= seq);
}
