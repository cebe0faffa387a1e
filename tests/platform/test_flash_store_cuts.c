/* Cuts the power at every unit that is programmed and at every erase, in flashes of several kinds,
 * and once more at each write of the start that follows.
 *
 *   test_flash_store_cuts [SEED] */

#include <stdlib.h>
#include <string.h>

#include "flash_fixture.h"

enum { KINDS = 5, MODEL_MAX = 4096, AFTER = 6, SECTORS_MAX = 8 };

static const struct kind {
    uint32_t sector_size, sectors, unit, ops;
} kinds[KINDS] = {
    { 1024, 4, 1, 60 },   { 2048, 3, 4, 200 },  { 1024, 8, 8, 500 },
    { 1024, 5, 16, 500 }, { 2048, 4, 32, 400 },
};

static uint32_t seed = 1;

/* What the store must have: records are numbered from 1 like their sequence numbers, since no
 * number is left out. */
struct model {
    uint64_t next;
    uint8_t removed[MODEL_MAX]; /* enum */
};
enum {
    THERE = 0,
    REMOVED,
    RETURNED, /* removed, but a loss of power has undone it; it may also do so later */
    REMOVED_AND_SYNCED
};

/* Everything that a test goes back to. */
struct world {
    struct flash_fixture f;
    struct model m;
    uint32_t random;
    uint64_t now;
};

static struct world *now_world;
static struct world *before;

static uint32_t roll(struct world *w, uint32_t sides)
{
    w->random = w->random * 1664525u + 1013904223u;
    return (w->random >> 8) % sides;
}

static void save(void)
{
    sim_flash *to = &before->f.flash;
    sim_flash kept = *to;

    sim_flash_copy(to, &now_world->f.flash);
    kept = *to;
    memcpy(before, now_world, sizeof *before);
    before->f.flash = kept;
}

static void go_back(void)
{
    sim_flash kept;

    sim_flash_copy(&now_world->f.flash, &before->f.flash);
    kept = now_world->f.flash;
    memcpy(now_world, before, sizeof *before);
    now_world->f.flash = kept;
}

/* --- the work --------------------------------------------------------------------------- */

/* The content follows from the number; the sizes are those of small flashes. */
static plat_result append(struct world *w, uint64_t number)
{
    uint8_t body[200];
    uint8_t head[24];
    plat_store_record r = {
        .stored_s = (int64_t)number,
        .tag = number % 5 == 0 ? UINT64_MAX : number, /* bytes that look erased */
        .flags = number % 5 == 0 ? UINT32_MAX : 0,
        .head = head,
        .head_len = (size_t)(number % 25),
        .body = body,
        .body_len = (size_t)(number * 37 % 200),
    };

    memset(head, (int)number, sizeof head);
    memset(body, number % 3 == 0 ? 0xFF : (int)number, sizeof body);
    return w->f.base.store->ops->append(w->f.base.store, &r, w->now);
}

static void expect_record(const plat_store_record *r)
{
    const uint8_t *head = r->head;
    const uint8_t *body = r->body;

    assert_int_equal(r->stored_s, r->seq);
    assert_int_equal(r->head_len, r->seq % 25);
    assert_int_equal(r->body_len, r->seq * 37 % 200);
    for (size_t i = 0; i < r->head_len; i++) {
        assert_int_equal(head[i], r->seq & 0xFF);
    }
    for (size_t i = 0; i < r->body_len; i++) {
        assert_int_equal(body[i], r->seq % 3 == 0 ? 0xFF : r->seq & 0xFF);
    }
}

static void synced(struct model *m)
{
    for (uint64_t seq = 1; seq < m->next; seq++) {
        m->removed[seq] = m->removed[seq] == REMOVED ? REMOVED_AND_SYNCED : m->removed[seq];
    }
}

/* One call of the store, chosen at random. Returns its result; the model follows a success. */
static plat_result step(struct world *w)
{
    const plat_store_ops *ops = w->f.base.store->ops;
    plat_store *s = w->f.base.store;
    plat_store_record r;
    const uint32_t what = roll(w, 100);
    plat_result result;

    w->now += 10;
    if (what < 50) {
        result = append(w, w->m.next);
        w->m.next += result == PLAT_OK ? 1 : 0;
        return result == PLAT_ERR_FULL ? PLAT_OK : result;
    }
    if (what < 85) {
        uint64_t from = 0;
        if (roll(w, 4) == 0) {
            from = roll(w, (uint32_t)w->m.next);
        }
        result = ops->read(s, from, &r);
        if (result != PLAT_OK) {
            return result == PLAT_EOF ? PLAT_OK : result;
        }
        result = ops->remove(s, r.seq, w->now);
        if (result == PLAT_OK) {
            w->m.removed[r.seq] = REMOVED;
        }
        return result;
    }
    result = what < 93 ? ops->on_time(s, w->now) : ops->sync(s);
    if (result == PLAT_OK && (what >= 93 || ops->next_deadline(s) == 0)) {
        synced(&w->m);
    }
    return result;
}

/* --- what must hold ---------------------------------------------------------------------- */

/* Expects every record of the model, and takes over what a loss of power may have changed: one more
 * record, and removals that are undone. */
static void check(struct world *w, bool one_more)
{
    const plat_store_ops *ops = w->f.base.store->ops;
    plat_store_record r;
    plat_store_info info;
    uint64_t count = 0;
    uint64_t next;
    uint64_t seq = 0;
    plat_result result;

    ops->info(w->f.base.store, &info);
    next = info.next_seq;
    if (next != w->m.next && !(one_more && next == w->m.next + 1)) {
        fail_msg("next is %u and should be %u", (unsigned)next, (unsigned)w->m.next);
    }
    w->m.removed[w->m.next] = THERE;
    for (; (result = ops->read(w->f.base.store, seq, &r)) == PLAT_OK; seq = r.seq + 1, count++) {
        expect_record(&r);
        for (; seq < r.seq; seq++) {
            assert_true(seq == 0 || w->m.removed[seq] != THERE);
        }
        assert_int_not_equal(w->m.removed[r.seq], REMOVED_AND_SYNCED);
        w->m.removed[r.seq] = w->m.removed[r.seq] == THERE ? THERE : RETURNED;
    }
    if (result != PLAT_EOF) {
        fail_msg("%s", ops->detail(w->f.base.store));
    }
    for (; seq < next; seq++) {
        assert_true(seq == 0 || w->m.removed[seq] != THERE);
    }
    assert_int_equal(count, info.count);
    w->m.next = next;
}

/* Starts again after a loss of power, which may fail at one of its own writes. */
static void restart(struct world *w, uint32_t cut)
{
    sim_flash_power_on(&w->f.flash);
    if (cut > 0) {
        sim_flash_cut_in(&w->f.flash, cut);
        (void)w->f.base.try_open(&w->f.base);
        sim_flash_power_on(&w->f.flash);
    }
    w->f.base.store = NULL;
    store_open(&w->f.base);
}

/* The power fails at the n-th write of the next step. Returns false if it has fewer writes. */
static bool cut_at(uint32_t n)
{
    struct world *w = now_world;

    sim_flash_cut_in(&w->f.flash, n);
    plat_result r = step(w);
    if (!w->f.flash.off) {
        assert_int_equal(r, PLAT_OK);
        return false;
    }
    restart(w, roll(w, 2) * (1 + roll(w, 8)));
    check(w, true);
    const uint64_t next = w->m.next;
    for (int i = 0; i < 2; i++) { /* and stays so, however what is in doubt reads next time */
        restart(w, 0);
        check(w, false);
        assert_int_equal(w->m.next, next);
    }
    for (int i = 0; i < AFTER; i++) {
        r = step(w);
        if (r != PLAT_OK) {
            fail_msg("%s", w->f.base.store->ops->detail(w->f.base.store));
        }
    }
    restart(w, 0);
    check(w, false);
    return true;
}

static struct world *new_world(const struct kind *k)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    flash_fixture_init(&w->f, k->sector_size, k->sectors, k->unit);
    w->m.next = 1;
    w->random = seed;
    return w;
}

static void free_world(struct world *w)
{
    flash_fixture_free(&w->f);
    free(w);
}

static uint64_t sweep(const struct kind *k)
{
    uint64_t cuts = 0;

    now_world = new_world(k);
    before = new_world(k);
    now_world->f.flash.random = seed;
    store_open(&now_world->f.base);
    for (uint32_t op = 0; op < k->ops; op++) {
        save();
        for (uint32_t n = 1; cut_at(n); n++) {
            cuts++;
            const uint32_t more = now_world->f.flash.random; /* each cut reads differently */
            go_back();
            now_world->f.flash.random = more;
        }
    }
    free_world(before);
    free_world(now_world);
    return cuts;
}

static void no_record_is_lost_wherever_the_power_is_cut(void **state)
{
    (void)state;
    uint64_t cuts = 0;

    for (int i = 0; i < KINDS; i++) {
        uint64_t n = sweep(&kinds[i]);
        print_message("%u bytes a unit: %u cuts\n", kinds[i].unit, (unsigned)n);
        cuts += n;
    }
    assert_true(cuts >= 10000);
}

/* The making of a store may be interrupted as well, any number of times. */
static void a_store_is_made_wherever_the_power_is_cut(void **state)
{
    (void)state;

    for (int i = 0; i < KINDS; i++) {
        for (uint32_t n = 1;; n++) {
            struct world *w = new_world(&kinds[i]);
            w->f.flash.random = n;
            sim_flash_cut_in(&w->f.flash, n);
            const bool opened = w->f.base.try_open(&w->f.base) == PLAT_OK;
            if (!opened) {
                assert_true(w->f.flash.off);
                restart(w, 1 + n / 2);
                check(w, false);
                assert_int_equal(append(w, 1), PLAT_OK);
                w->m.next++;
                restart(w, 0);
                check(w, false);
            }
            free_world(w);
            if (opened) {
                assert_true(n > 1);
                break;
            }
        }
    }
}

/* One life with very many failures, so that what they leave behind adds up. */
static void a_life_of_power_failures_loses_nothing(void **state)
{
    (void)state;
    enum { FAILURES = 1500 };

    for (int i = 0; i < KINDS; i++) {
        struct world *w = new_world(&kinds[i]);
        uint32_t failures = 0;
        store_open(&w->f.base);
        for (; failures < FAILURES && w->m.next < MODEL_MAX - 2; failures++) {
            sim_flash_cut_in(&w->f.flash, 1 + roll(w, 3000 / kinds[i].unit));
            for (int steps = 0; !w->f.flash.off && steps < 100; steps++) {
                plat_result r = w->m.next < MODEL_MAX - 2 ? step(w) : PLAT_OK;
                assert_true(r == PLAT_OK || r == PLAT_ERR_FULL || w->f.flash.off);
            }
            restart(w, roll(w, 3) == 0 ? 1 + roll(w, 6) : 0);
            check(w, true);
        }
        print_message("%u bytes a unit: %u power failures, %u records, %u units programmed twice\n",
                      kinds[i].unit, failures, (unsigned)w->m.next, w->f.flash.twice);
        assert_true(w->m.next > FAILURES);
        free_world(w);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_record_is_lost_wherever_the_power_is_cut),
        cmocka_unit_test(a_store_is_made_wherever_the_power_is_cut),
        cmocka_unit_test(a_life_of_power_failures_loses_nothing),
    };
    if (argc > 1) {
        seed = (uint32_t)atoi(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
