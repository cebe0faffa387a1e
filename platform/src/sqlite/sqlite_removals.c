#include <string.h>

#include "sqlite_private.h"

enum { ROWS_A_TIME = 512, SHRINK_ABOVE_PAGES = 2048 };

bool sqlite_store_is_removed(const struct sqlite_store *s, uint64_t seq)
{
    if (seq < s->below) {
        return true;
    }
    for (size_t i = 0; i < s->outlier_count; i++) {
        if (s->outliers[i] == seq) {
            return true;
        }
    }
    return false;
}

static void account(struct sqlite_store *s, uint64_t size)
{
    s->count--;
    s->bytes -= size;
    s->removals++;
    s->removals_wait = true;
}

/* The head is gone: so are those right behind it that went before. */
static plat_result absorb_outliers(struct sqlite_store *s)
{
    while (s->outlier_count > 0) {
        plat_result r = sqlite_store_run(s, STORE_FIRST_LIVE, s->below, 0);
        if (r != PLAT_OK) {
            return r;
        }
        uint64_t seq = sqlite_store_column(s, STORE_FIRST_LIVE, 0);
        sqlite_store_release(s, STORE_FIRST_LIVE);
        if (seq != s->outliers[0]) {
            return PLAT_OK;
        }
        s->below = seq + 1;
        s->outlier_count--;
        memmove(s->outliers, s->outliers + 1, s->outlier_count * sizeof s->outliers[0]);
    }
    return PLAT_OK;
}

static void insert_outlier(struct sqlite_store *s, uint64_t seq)
{
    size_t at = s->outlier_count++;

    while (at > 0 && s->outliers[at - 1] > seq) {
        s->outliers[at] = s->outliers[at - 1];
        at--;
    }
    s->outliers[at] = seq;
}

static plat_result remove_outlier(struct sqlite_store *s, uint64_t seq)
{
    if (s->outlier_count == SQLITE_STORE_OUTLIERS) {
        plat_result r = sqlite_store_write_removals(s);
        if (r != PLAT_OK) {
            return r;
        }
    }
    plat_result r = sqlite_store_run(s, STORE_LIVE, seq, 0);
    if (r == PLAT_OK) {
        account(s, sqlite_store_column(s, STORE_LIVE, 0));
        sqlite_store_release(s, STORE_LIVE);
        insert_outlier(s, seq);
    }
    return r;
}

static plat_result forget(struct sqlite_store *s, uint64_t seq)
{
    plat_result r = sqlite_store_run(s, STORE_FIRST_LIVE, s->below, 0);
    if (r != PLAT_OK) {
        return r;
    }
    uint64_t head = sqlite_store_column(s, STORE_FIRST_LIVE, 0);
    uint64_t size = sqlite_store_column(s, STORE_FIRST_LIVE, 1);
    sqlite_store_release(s, STORE_FIRST_LIVE);
    if (head != seq) {
        return seq < head ? PLAT_OK : remove_outlier(s, seq);
    }
    account(s, size);
    s->below = seq + 1;
    return absorb_outliers(s);
}

plat_result sqlite_store_remove(struct sqlite_store *s, uint64_t seq)
{
    if (seq > s->last.record.seq || sqlite_store_is_removed(s, seq)) {
        return PLAT_OK;
    }
    plat_result r = forget(s, seq);
    if (r != PLAT_OK && r != PLAT_EOF) {
        return r;
    }
    if (s->removals >= ROWS_A_TIME) {
        s->removals = 0;
        (void)sqlite_store_write_removals(s); /* tried again when its time has come */
    }
    return s->latched;
}

/* --- on the disk -------------------------------------------------------- */

static plat_result dig(struct sqlite_store *s, struct store_meta *m, uint64_t seq)
{
    struct store_row row = { .record.seq = seq, .hole = true };
    plat_result r = sqlite_store_run(s, STORE_LIVE, seq, 0);

    if (r != PLAT_OK) {
        return r == PLAT_EOF ? PLAT_OK : r; /* a hole already */
    }
    row.size = sqlite_store_column(s, STORE_LIVE, 0);
    row.number = sqlite_store_column(s, STORE_LIVE, 1);
    row.total = sqlite_store_column(s, STORE_LIVE, 2);
    sqlite_store_release(s, STORE_LIVE);
    m->holes++;
    m->hole_bytes += row.size;
    r = sqlite_store_run(s, STORE_DIG, seq, sqlite_store_hash_row(s, &row));
    return r == PLAT_EOF ? PLAT_OK : r;
}

static plat_result dig_all(struct sqlite_store *s, struct store_meta *m)
{
    plat_result r = PLAT_OK;

    for (size_t i = 0; i < s->outlier_count && r == PLAT_OK; i++) {
        r = dig(s, m, s->outliers[i]);
    }
    if (r == PLAT_OK && s->below > s->last.record.seq) {
        r = dig(s, m, s->last.record.seq);
    }
    return r;
}

static plat_result delete_before(struct sqlite_store *s, struct store_meta *m, uint64_t seq)
{
    if (m->holes > 0) {
        plat_result r = sqlite_store_run(s, STORE_HOLES, seq, 0);
        if (r != PLAT_OK) {
            return r;
        }
        m->holes -= sqlite_store_column(s, STORE_HOLES, 0);
        m->hole_bytes -= sqlite_store_column(s, STORE_HOLES, 1);
        sqlite_store_release(s, STORE_HOLES);
    }
    plat_result r = sqlite_store_run(s, STORE_DELETE, seq, 0);
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* seq of the row behind n others; UINT64_MAX when there are no more than n. */
static plat_result nth(struct sqlite_store *s, uint64_t n, uint64_t *seq)
{
    plat_result r = sqlite_store_run(s, STORE_NTH, n, 0);

    *seq = UINT64_MAX;
    if (r == PLAT_OK) {
        *seq = sqlite_store_column(s, STORE_NTH, 0);
        sqlite_store_release(s, STORE_NTH);
    }
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* One part of what waits, in a transaction. */
static plat_result write_part(struct sqlite_store *s, uint64_t rows, struct store_meta *m,
                              bool *all)
{
    uint64_t last = s->last.record.seq;
    uint64_t goal = s->below < last ? s->below : last;
    uint64_t stop;
    plat_result r = nth(s, rows, &stop);

    *all = goal <= stop;
    if (r == PLAT_OK) {
        r = delete_before(s, m, *all ? goal : stop);
    }
    if (r == PLAT_OK && *all) {
        r = dig_all(s, m);
    }
    if (r == PLAT_OK) {
        r = nth(s, 0, &m->first);
    }
    (void)sqlite_store_wal_salt(s, &m->wal_salt);
    return r == PLAT_OK ? sqlite_store_write_meta(s, m) : r;
}

static plat_result commit_part(struct sqlite_store *s, bool *all)
{
    struct store_meta m = s->meta;
    uint64_t cap = (uint64_t)s->wal_cap;
    uint64_t rows = cap / 2 < ROWS_A_TIME ? cap / 2 : ROWS_A_TIME;
    /* At most a page of each row, and some above them. */
    plat_result r = sqlite_store_make_room(s, rows + rows / 8 + 16);

    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, "BEGIN");
    }
    if (r != PLAT_OK) {
        return r;
    }
    r = write_part(s, rows, &m, all);
    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, "COMMIT");
    }
    if (r == PLAT_OK) {
        s->meta = m;
        s->unsynced = s->sync_delay_ms > 0;
        sqlite_store_checkpoint_early(s);
    } else if (sqlite3_get_autocommit(s->db) == 0) {
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return r;
}

/* An empty store gives the disk back.  When that fails it keeps its pages for later records. */
static void shrink(struct sqlite_store *s)
{
    uint64_t pages = 0;

    if (s->count > 0) {
        return;
    }
    if (sqlite_store_run(s, STORE_PAGES, 0, 0) == PLAT_OK) {
        pages = sqlite_store_column(s, STORE_PAGES, 0);
        sqlite_store_release(s, STORE_PAGES);
    }
    if (pages > SHRINK_ABOVE_PAGES &&
        sqlite3_exec(s->db, "VACUUM", NULL, NULL, NULL) == SQLITE_OK) {
        (void)sqlite_store_checkpoint(s);
    }
}

plat_result sqlite_store_write_removals(struct sqlite_store *s)
{
    bool all = !s->removals_wait;

    while (!all) {
        plat_result r = commit_part(s, &all);
        if (r != PLAT_OK) {
            return r;
        }
    }
    if (s->removals_wait) {
        s->removals_wait = false;
        s->removals = 0;
        s->outlier_count = 0;
        shrink(s);
    }
    return PLAT_OK;
}
