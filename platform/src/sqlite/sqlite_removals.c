#include "sqlite/sqlite_removals.h"

#include <assert.h>
#include <string.h>

enum {
    /* Most removals that are gathered, and most rows that one transaction deletes. */
    ROWS_A_TIME = 512,
    BYTES_A_TIME = 8 * 1024 * 1024,
    FRAMES_BESIDE = 16, /* most pages that a transaction writes in addition to those of rows */
    /* If the file of an empty store has more pages, it is made smaller. */
    SHRINK_ABOVE_PAGES = 2048,
    /* Most pages that a gap writes: the row, its two neighbours, and one page above them. */
    PAGES_PER_GAP = 4,
    /* The least number of rows for which one inner page of the tree must be written. */
    ROWS_PER_INNER_PAGE = 8,
    /* The least number of free pages for which one page of the free list must be written. */
    PAGES_PER_TRUNK = 500
};

#ifndef NDEBUG
static bool is_in_order(const struct sqlite_removals *m)
{
    uint64_t before = m->removed_before;

    for (size_t i = 0; i < m->out_of_order_count; i++) {
        if (m->out_of_order[i] < before) {
            return false;
        }
        before = m->out_of_order[i] + 1;
    }
    return true;
}

bool sqlite_removals_valid(const struct sqlite_removals *m)
{
    if (m->out_of_order_count > SQLITE_OUT_OF_ORDER_MAX || !is_in_order(m)) {
        return false;
    }
    if (!m->waiting && (m->out_of_order_count > 0 || m->unwritten > 0)) {
        return false;
    }
    return m->count > 0 || m->bytes == 0;
}
#endif

void sqlite_removals_init(struct sqlite_removals *m, struct sqlite_space *p)
{
    *m = (struct sqlite_removals){ .schema = p->schema, .wal = p->wal, .space = p };
}

void sqlite_removals_begin(struct sqlite_removals *m, const struct sqlite_contents *contents)
{
    m->count = contents->count;
    m->bytes = contents->bytes;
    m->removed_before = contents->first_seq;
}

void sqlite_removals_note_append(struct sqlite_removals *m, uint64_t bytes)
{
    assert(sqlite_removals_valid(m));
    m->count++;
    m->bytes += bytes;
}

bool sqlite_removals_has(const struct sqlite_removals *m, uint64_t seq)
{
    assert(sqlite_removals_valid(m));
    if (seq < m->removed_before) {
        return true;
    }
    for (size_t i = 0; i < m->out_of_order_count; i++) {
        if (m->out_of_order[i] == seq) {
            return true;
        }
    }
    return false;
}

static void count_removal(struct sqlite_removals *m, uint64_t size)
{
    m->count--;
    m->bytes -= size;
    m->unwritten++;
    m->waiting = true;
}

/* Called when the first record was removed. Records directly after it that were removed earlier
 * are now removed from the front as well. */
static plat_result absorb_out_of_order(struct sqlite_removals *m)
{
    while (m->out_of_order_count > 0) {
        plat_result r = sqlite_schema_run(m->schema, STORE_FIRST_LIVE, m->removed_before, 0);
        if (r != PLAT_OK) {
            return r;
        }
        uint64_t seq = sqlite_schema_column(m->schema, STORE_FIRST_LIVE, 0);
        sqlite_schema_release(m->schema, STORE_FIRST_LIVE);
        if (seq != m->out_of_order[0]) {
            return PLAT_OK;
        }
        m->removed_before = seq + 1;
        m->out_of_order_count--;
        memmove(m->out_of_order, m->out_of_order + 1,
                m->out_of_order_count * sizeof m->out_of_order[0]);
    }
    return PLAT_OK;
}

static void insert_out_of_order(struct sqlite_removals *m, uint64_t seq)
{
    size_t at = m->out_of_order_count++;

    while (at > 0 && m->out_of_order[at - 1] > seq) {
        m->out_of_order[at] = m->out_of_order[at - 1];
        at--;
    }
    m->out_of_order[at] = seq;
}

static plat_result remove_out_of_order(struct sqlite_removals *m, uint64_t seq)
{
    if (m->out_of_order_count == SQLITE_OUT_OF_ORDER_MAX) {
        plat_result r = sqlite_removals_write(m);
        if (r != PLAT_OK) {
            return r;
        }
    }
    plat_result r = sqlite_schema_run(m->schema, STORE_LIVE, seq, 0);
    if (r == PLAT_OK) {
        count_removal(m, sqlite_schema_column(m->schema, STORE_LIVE, 0));
        sqlite_schema_release(m->schema, STORE_LIVE);
        insert_out_of_order(m, seq);
    }
    return r;
}

static plat_result mark_removed(struct sqlite_removals *m, uint64_t seq)
{
    plat_result r = sqlite_schema_run(m->schema, STORE_FIRST_LIVE, m->removed_before, 0);
    if (r != PLAT_OK) {
        return r;
    }
    uint64_t first = sqlite_schema_column(m->schema, STORE_FIRST_LIVE, 0);
    uint64_t size = sqlite_schema_column(m->schema, STORE_FIRST_LIVE, 1);
    sqlite_schema_release(m->schema, STORE_FIRST_LIVE);
    if (first != seq) {
        return seq < first ? PLAT_OK : remove_out_of_order(m, seq);
    }
    count_removal(m, size);
    m->removed_before = seq + 1;
    return absorb_out_of_order(m);
}

plat_result sqlite_removals_add(struct sqlite_removals *m, uint64_t seq)
{
    assert(sqlite_removals_valid(m));
    if (seq > m->schema->last.record.seq || sqlite_removals_has(m, seq)) {
        return PLAT_OK;
    }
    plat_result r = mark_removed(m, seq);
    if (r != PLAT_OK && r != PLAT_EOF) {
        return r;
    }
    if (m->unwritten >= ROWS_A_TIME) {
        m->unwritten = 0;
        /* After a failure, the removals are written at the deadline. */
        (void)sqlite_removals_write(m);
    }
    return m->schema->file->latched;
}

/* --- on the disk -------------------------------------------------------- */

/* Reads the row before or after a seq. Returns PLAT_EOF if there is no such row, or if it is not
 * a gap. */
static plat_result read_gap_row(struct sqlite_removals *m, enum store_statement which, uint64_t seq,
                                struct store_row *row)
{
    plat_result r = sqlite_schema_run(m->schema, which, seq, 0);

    if (r != PLAT_OK) {
        return r;
    }
    *row = (struct store_row){
        .record = { .seq = sqlite_schema_column(m->schema, which, 0) },
        .size = sqlite_schema_column(m->schema, which, 1),
        .number = sqlite_schema_column(m->schema, which, 2),
        .total = sqlite_schema_column(m->schema, which, 3),
        .span = sqlite_schema_column(m->schema, which, 4),
        .gap = sqlite_schema_column(m->schema, which, 5) != 0,
    };
    sqlite_schema_release(m->schema, which);
    return row->gap ? PLAT_OK : PLAT_EOF;
}

/* Joins two adjacent gaps into the later one. */
static plat_result join(struct sqlite_removals *m, const struct store_row *earlier,
                        struct store_row *later)
{
    later->span += 1 + earlier->span;
    later->size += earlier->size;
    plat_result r = sqlite_schema_run(m->schema, STORE_DELETE_ONE, earlier->record.seq, 0);
    return r == PLAT_EOF ? PLAT_OK : r;
}

static plat_result write_gap_row(struct sqlite_removals *m, struct store_row *row)
{
    row->record.tag = row->span;
    return sqlite_schema_write_gap(m->schema, row);
}

static plat_result write_joined_gap(struct sqlite_removals *m, struct store_row row)
{
    struct store_row neighbour;
    plat_result r = read_gap_row(m, STORE_BEFORE, row.record.seq, &neighbour);

    if (r == PLAT_OK) {
        r = join(m, &neighbour, &row);
    }
    if (r == PLAT_OK || r == PLAT_EOF) {
        r = read_gap_row(m, STORE_AFTER, row.record.seq, &neighbour);
    }
    if (r == PLAT_OK) {
        r = join(m, &row, &neighbour);
        row = neighbour;
    }
    return r == PLAT_OK || r == PLAT_EOF ? write_gap_row(m, &row) : r;
}

static plat_result mark_row_removed(struct sqlite_removals *m, struct store_meta *meta,
                                    uint64_t seq)
{
    struct store_row row = { .record.seq = seq, .gap = true };
    plat_result r = sqlite_schema_run(m->schema, STORE_LIVE, seq, 0);

    if (r != PLAT_OK) {
        return r == PLAT_EOF ? PLAT_OK : r; /* the row is already a gap */
    }
    row.size = sqlite_schema_column(m->schema, STORE_LIVE, 0);
    row.number = sqlite_schema_column(m->schema, STORE_LIVE, 1);
    row.total = sqlite_schema_column(m->schema, STORE_LIVE, 2);
    sqlite_schema_release(m->schema, STORE_LIVE);
    meta->gaps++;
    meta->gap_bytes += row.size;
    return write_joined_gap(m, row);
}

static plat_result write_gaps(struct sqlite_removals *m, struct store_meta *meta)
{
    plat_result r = PLAT_OK;

    for (size_t i = 0; i < m->out_of_order_count && r == PLAT_OK; i++) {
        r = mark_row_removed(m, meta, m->out_of_order[i]);
    }
    if (r == PLAT_OK && m->removed_before > m->schema->last.record.seq) {
        r = mark_row_removed(m, meta, m->schema->last.record.seq);
    }
    return r;
}

static plat_result delete_before(struct sqlite_removals *m, struct store_meta *meta, uint64_t seq)
{
    if (meta->gaps > 0) {
        plat_result r = sqlite_schema_run(m->schema, STORE_GAPS, seq, 0);
        if (r != PLAT_OK) {
            return r;
        }
        meta->gaps -= sqlite_schema_column(m->schema, STORE_GAPS, 0);
        meta->gap_bytes -= sqlite_schema_column(m->schema, STORE_GAPS, 1);
        sqlite_schema_release(m->schema, STORE_GAPS);
    }
    plat_result r = sqlite_schema_run(m->schema, STORE_DELETE, seq, 0);
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* --- one transaction -------------------------------------------------------- */

/* One part of the waiting removals: all rows before `stop` are deleted. If nothing else waits,
 * the gaps are written in the same transaction. */
struct part {
    uint64_t stop;
    bool all;
    uint64_t frames; /* most frames of the WAL that it writes */
};

/* Finds seq and total of the row after n others. *seq is UINT64_MAX if there are only n rows. */
static plat_result nth(struct sqlite_removals *m, uint64_t n, uint64_t *seq, uint64_t *total)
{
    plat_result r = sqlite_schema_run(m->schema, STORE_NTH, n, 0);

    *seq = UINT64_MAX;
    *total = m->schema->last.total;
    if (r == PLAT_OK) {
        *seq = sqlite_schema_column(m->schema, STORE_NTH, 0);
        *total = sqlite_schema_column(m->schema, STORE_NTH, 1);
        sqlite_schema_release(m->schema, STORE_NTH);
    }
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* Returns the most frames for deleting rows: one page for each, and one more for each 500 pages
 * that become free. */
static uint64_t frames_for(uint64_t rows, uint64_t bytes)
{
    return rows + rows / ROWS_PER_INNER_PAGE + FRAMES_BESIDE +
           bytes / (PAGES_PER_TRUNK * SQLITE_WAL_PAGE);
}

/* Returns the most pages that are written when rows become gaps. */
static uint64_t pages_for_gaps(const struct sqlite_removals *m)
{
    return PAGES_PER_GAP * (m->out_of_order_count + 1);
}

/* Returns how many rows can be deleted in a transaction of this number of frames, some of which
 * are needed for the pages that become free. */
static uint64_t rows_within(const struct sqlite_removals *m, uint64_t frames)
{
    const uint64_t most = frames - frames / 16;
    const uint64_t rows = most > FRAMES_BESIDE ? (most - FRAMES_BESIDE) * ROWS_PER_INNER_PAGE /
                                                     (ROWS_PER_INNER_PAGE + 1)
                                               : 0;

    return rows > pages_for_gaps(m) ? rows - pages_for_gaps(m) : 0;
}

/* Plans a part that deletes at most this number of rows. */
static plat_result plan(struct sqlite_removals *m, uint64_t rows, struct part *p)
{
    const uint64_t last = m->schema->last.record.seq;
    const uint64_t goal = m->removed_before < last ? m->removed_before : last;
    uint64_t deleted = rows > 0 ? rows : 1;
    uint64_t unused;
    uint64_t from = 0;
    uint64_t to = 0;
    plat_result r = nth(m, 0, &unused, &from);

    if (r == PLAT_OK) {
        r = nth(m, deleted, &p->stop, &to);
    }
    while (r == PLAT_OK && to - from > BYTES_A_TIME && deleted > 1) {
        deleted /= 2;
        r = nth(m, deleted, &p->stop, &to);
    }
    if (r != PLAT_OK) {
        return r;
    }
    p->all = goal <= p->stop;
    p->stop = p->all ? goal : p->stop;
    p->frames = frames_for(deleted + pages_for_gaps(m), to - from);
    return PLAT_OK;
}

/* Plans a part and makes room for it in the WAL.  On a full disk the part is as small as the
 * reserve. */
static plat_result plan_within_disk(struct sqlite_removals *m, struct part *p)
{
    const uint64_t waiting = m->removed_before - m->schema->meta.first; /* upper limit */
    const uint64_t most = rows_within(m, m->wal->cap);
    const uint64_t rows = waiting < ROWS_A_TIME ? waiting : ROWS_A_TIME;
    plat_result r = plan(m, rows < most ? rows : most, p);

    if (r == PLAT_OK) {
        r = sqlite_wal_make_room(m->wal, p->frames);
    }
    if (r == PLAT_ERR_FULL) {
        const uint64_t used = m->wal->frames;
        const uint64_t have = m->wal->allocated > used ? m->wal->allocated - used : 0;
        r = plan(m, rows_within(m, have), p);
    }
    return r;
}

static plat_result write_part(struct sqlite_removals *m, const struct part *p,
                              struct store_meta *meta)
{
    uint64_t unused;
    plat_result r = delete_before(m, meta, p->stop);

    if (r == PLAT_OK && p->all) {
        r = write_gaps(m, meta);
    }
    if (r == PLAT_OK) {
        r = nth(m, 0, &meta->first, &unused);
    }
    (void)sqlite_wal_salt(m->wal, &meta->wal_salt);
    return r == PLAT_OK ? sqlite_schema_write_meta(m->schema, meta) : r;
}

static plat_result commit_part(struct sqlite_removals *m, bool *all)
{
    struct store_meta meta = m->schema->meta;
    struct part p;
    plat_result r = plan_within_disk(m, &p);

    if (r == PLAT_OK) {
        r = sqlite_file_exec(m->schema->file, "BEGIN");
    }
    if (r != PLAT_OK) {
        return r;
    }
    *all = p.all;
    r = write_part(m, &p, &meta);
    if (r == PLAT_OK) {
        r = sqlite_file_exec(m->schema->file, "COMMIT");
    }
    if (r == PLAT_OK) {
        sqlite_schema_keep_meta(m->schema, &meta);
        sqlite_wal_note_commit(m->wal);
        sqlite_wal_checkpoint_early(m->wal);
    } else if (sqlite3_get_autocommit(m->schema->file->db) == 0) {
        (void)sqlite3_exec(m->schema->file->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return r;
}

/* Makes the file of an empty store smaller. If that fails, its pages are kept for later records. */
static void shrink(struct sqlite_removals *m)
{
    uint64_t pages = 0;

    if (m->count > 0) {
        return;
    }
    (void)sqlite_schema_ask(m->schema, STORE_PAGES, &pages);
    if (pages > SHRINK_ABOVE_PAGES && sqlite_wal_make_room(m->wal, FRAMES_BESIDE) == PLAT_OK &&
        sqlite3_exec(m->schema->file->db, "VACUUM", NULL, NULL, NULL) == SQLITE_OK) {
        sqlite_space_shrink(m->space);
        (void)sqlite_wal_checkpoint(m->wal);
    }
}

plat_result sqlite_removals_write(struct sqlite_removals *m)
{
    bool all = !m->waiting;
    assert(sqlite_removals_valid(m));

    while (!all) {
        plat_result r = commit_part(m, &all);
        if (r != PLAT_OK) {
            return r;
        }
    }
    if (m->waiting) {
        m->waiting = false;
        m->unwritten = 0;
        m->out_of_order_count = 0;
        shrink(m);
    }
    sqlite_file_forgive(m->schema->file);
    return PLAT_OK;
}
