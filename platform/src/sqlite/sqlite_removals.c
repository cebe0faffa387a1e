#include <string.h>

#include "sqlite_private.h"

enum {
    ROWS_A_TIME = 512,
    BYTES_A_TIME = 8 * 1024 * 1024,
    FRAMES_BESIDE = 16, /* pages above the rows, of free pages and of meta */
    SHRINK_ABOVE_PAGES = 2048
};

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

/* The row beside this one.  PLAT_EOF: there is none, or it is no hole. */
static plat_result hole_beside(struct sqlite_store *s, enum store_statement which, uint64_t seq,
                               struct store_row *row)
{
    plat_result r = sqlite_store_run(s, which, seq, 0);

    if (r != PLAT_OK) {
        return r;
    }
    *row = (struct store_row){
        .record = { .seq = sqlite_store_column(s, which, 0) },
        .size = sqlite_store_column(s, which, 1),
        .number = sqlite_store_column(s, which, 2),
        .total = sqlite_store_column(s, which, 3),
        .span = sqlite_store_column(s, which, 4),
        .hole = sqlite_store_column(s, which, 5) != 0,
    };
    sqlite_store_release(s, which);
    return row->hole ? PLAT_OK : PLAT_EOF;
}

/* Let the later of two holes stand for both. */
static plat_result join(struct sqlite_store *s, const struct store_row *earlier,
                        struct store_row *later)
{
    later->span += 1 + earlier->span;
    later->size += earlier->size;
    plat_result r = sqlite_store_run(s, STORE_DELETE_ONE, earlier->record.seq, 0);
    return r == PLAT_EOF ? PLAT_OK : r;
}

static plat_result write_hole(struct sqlite_store *s, struct store_row *row)
{
    sqlite3_stmt *st = s->statements[STORE_DIG];

    row->record.tag = row->span;
    sqlite3_bind_int64(st, 3, (sqlite3_int64)row->size);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)row->span);
    plat_result r = sqlite_store_run(s, STORE_DIG, row->record.seq, sqlite_store_hash_row(s, row));
    return r == PLAT_EOF ? PLAT_OK : r;
}

static plat_result dig_and_join(struct sqlite_store *s, struct store_row row)
{
    struct store_row beside;
    plat_result r = hole_beside(s, STORE_BEFORE, row.record.seq, &beside);

    if (r == PLAT_OK) {
        r = join(s, &beside, &row);
    }
    if (r == PLAT_OK || r == PLAT_EOF) {
        r = hole_beside(s, STORE_AFTER, row.record.seq, &beside);
    }
    if (r == PLAT_OK) {
        r = join(s, &row, &beside);
        row = beside;
    }
    return r == PLAT_OK || r == PLAT_EOF ? write_hole(s, &row) : r;
}

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
    return dig_and_join(s, row);
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

/* --- one transaction -------------------------------------------------------- */

/* All rows before `stop` go.  If these are all that wait, the holes are dug as well. */
struct part {
    uint64_t stop;
    bool all;
    uint64_t frames; /* at most, of the WAL */
};

/* seq and total of the row behind n others; UINT64_MAX when there are no more than n. */
static plat_result nth(struct sqlite_store *s, uint64_t n, uint64_t *seq, uint64_t *total)
{
    plat_result r = sqlite_store_run(s, STORE_NTH, n, 0);

    *seq = UINT64_MAX;
    *total = s->last.total;
    if (r == PLAT_OK) {
        *seq = sqlite_store_column(s, STORE_NTH, 0);
        *total = sqlite_store_column(s, STORE_NTH, 1);
        sqlite_store_release(s, STORE_NTH);
    }
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* Of each row at most one page is written, and one of each 500 that it leaves free. */
static uint64_t frames_for(uint64_t rows, uint64_t bytes)
{
    return rows + rows / 8 + FRAMES_BESIDE + bytes / (500 * SQLITE_STORE_PAGE);
}

/* Pages that digging writes at most: of each row, of those beside it, and one above them. */
static uint64_t pages_to_dig(const struct sqlite_store *s)
{
    return 4 * (s->outlier_count + 1);
}

/* Rows that can be deleted within so many frames, some of which their bytes take. */
static uint64_t rows_within(const struct sqlite_store *s, uint64_t frames)
{
    const uint64_t most = frames - frames / 16;
    const uint64_t rows = most > FRAMES_BESIDE ? (most - FRAMES_BESIDE) * 8 / 9 : 0;

    return rows > pages_to_dig(s) ? rows - pages_to_dig(s) : 0;
}

/* At most so many rows are deleted. */
static plat_result plan(struct sqlite_store *s, uint64_t rows, struct part *p)
{
    const uint64_t last = s->last.record.seq;
    const uint64_t goal = s->below < last ? s->below : last;
    uint64_t deleted = rows > 0 ? rows : 1;
    uint64_t unused;
    uint64_t from;
    uint64_t to;
    plat_result r = nth(s, 0, &unused, &from);

    if (r == PLAT_OK) {
        r = nth(s, deleted, &p->stop, &to);
    }
    while (r == PLAT_OK && to - from > BYTES_A_TIME && deleted > 1) {
        deleted /= 2;
        r = nth(s, deleted, &p->stop, &to);
    }
    if (r != PLAT_OK) {
        return r;
    }
    p->all = goal <= p->stop;
    p->stop = p->all ? goal : p->stop;
    p->frames = frames_for(deleted + pages_to_dig(s), to - from);
    return PLAT_OK;
}

/* A part, and room in the WAL for it.  On a full disk it is what the reserve takes. */
static plat_result plan_within_disk(struct sqlite_store *s, struct part *p)
{
    const uint64_t waiting = s->below - s->meta.first; /* at most */
    const uint64_t most = rows_within(s, (uint64_t)s->wal_cap);
    const uint64_t rows = waiting < ROWS_A_TIME ? waiting : ROWS_A_TIME;
    plat_result r = plan(s, rows < most ? rows : most, p);

    if (r == PLAT_OK) {
        r = sqlite_store_make_room(s, p->frames);
    }
    if (r == PLAT_ERR_FULL) {
        const uint64_t used = (uint64_t)s->wal_frames;
        const uint64_t have = s->space.wal_frames > used ? s->space.wal_frames - used : 0;
        r = plan(s, rows_within(s, have), p);
    }
    return r;
}

static plat_result write_part(struct sqlite_store *s, const struct part *p, struct store_meta *m)
{
    uint64_t unused;
    plat_result r = delete_before(s, m, p->stop);

    if (r == PLAT_OK && p->all) {
        r = dig_all(s, m);
    }
    if (r == PLAT_OK) {
        r = nth(s, 0, &m->first, &unused);
    }
    (void)sqlite_store_wal_salt(s, &m->wal_salt);
    return r == PLAT_OK ? sqlite_store_write_meta(s, m) : r;
}

static plat_result commit_part(struct sqlite_store *s, bool *all)
{
    struct store_meta m = s->meta;
    struct part p;
    plat_result r = plan_within_disk(s, &p);

    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, "BEGIN");
    }
    if (r != PLAT_OK) {
        return r;
    }
    *all = p.all;
    r = write_part(s, &p, &m);
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
    if (pages > SHRINK_ABOVE_PAGES && sqlite_store_make_room(s, FRAMES_BESIDE) == PLAT_OK &&
        sqlite3_exec(s->db, "VACUUM", NULL, NULL, NULL) == SQLITE_OK) {
        sqlite_store_space_shrink(s);
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
    sqlite_store_forgive(s);
    return PLAT_OK;
}
