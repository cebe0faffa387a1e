#include "sqlite/sqlite_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Between two writes of its number into meta, the WAL restarts fewer times than this. */
enum { WAL_RESTARTS = 1 << 20 };

#define ROW "SELECT seq,number,total,size,stored_s,tag,id,ttl_ms,flags,hash,head,body FROM records "
/* typeof is used because it does not load the bytes. */
#define LIVE   "typeof(head)<>'null' "
#define BESIDE "SELECT seq,size,number,total,tag,head IS NULL FROM records "

static const char *const statements[STORE_STATEMENTS] = {
    [STORE_APPEND] = "INSERT INTO records(seq,number,total,size,stored_s,tag,id,ttl_ms,flags,hash,"
                     "head,body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
    [STORE_READ] = ROW "WHERE seq>=?1 ORDER BY seq LIMIT 1",
    [STORE_LAST] = ROW "ORDER BY seq DESC LIMIT 1",
    [STORE_FIRST_LIVE] =
        "SELECT seq,size FROM records WHERE seq>=?1 AND " LIVE "ORDER BY seq LIMIT 1",
    [STORE_LIVE] = "SELECT size,number,total FROM records WHERE seq=?1 AND " LIVE,
    [STORE_NTH] = "SELECT seq,total FROM records ORDER BY seq LIMIT 1 OFFSET ?1",
    [STORE_GAPS] = "SELECT sum(1+tag),sum(size) FROM records WHERE seq<?1 AND NOT " LIVE,
    [STORE_BEFORE] = BESIDE "WHERE seq<?1 ORDER BY seq DESC LIMIT 1",
    [STORE_AFTER] = BESIDE "WHERE seq>?1 ORDER BY seq LIMIT 1",
    [STORE_DELETE] = "DELETE FROM records WHERE seq<?1",
    [STORE_DELETE_ONE] = "DELETE FROM records WHERE seq=?1",
    [STORE_MARK_REMOVED] =
        "UPDATE records SET size=?3,stored_s=0,tag=?4,id=0,ttl_ms=0,flags=0,hash=?2,"
        "head=NULL,body=NULL WHERE seq=?1",
    [STORE_META] = "UPDATE meta SET reserved=?1,in_use=?2,first=?3,last=?4,holes=?5,hole_bytes=?6,"
                   "wal_salt=?7,hash=?8",
    [STORE_PAGES] = "PRAGMA page_count",
    [STORE_FREE_PAGES] = "PRAGMA freelist_count",
};

#ifndef NDEBUG
bool sqlite_schema_valid(const struct sqlite_schema *c)
{
    if (c->file == NULL || c->wal == NULL || c->wal->file != c->file) {
        return false;
    }
    if (c->meta.gaps == 0 && c->meta.gap_bytes > 0) {
        return false;
    }
    return c->last.gap || c->last.span == 0;
}
#endif

void sqlite_schema_init(struct sqlite_schema *c, struct sqlite_wal *w)
{
    *c = (struct sqlite_schema){ .file = w->file, .wal = w };
}

void sqlite_schema_release_all(struct sqlite_schema *c)
{
    for (int i = 0; i < STORE_STATEMENTS; i++) {
        sqlite3_finalize(c->statements[i]); /* takes NULL */
        c->statements[i] = NULL;
    }
}

/* --- hashes ------------------------------------------------------------------ */

/* Each step is a bijection of h, so a single changed word always changes the result. */
static uint64_t hash_u64(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t word = 0;

    h = hash_u64(h, len);
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)p[i] << (8 * (i % 8));
        if (i % 8 == 7 || i + 1 == len) {
            h = hash_u64(h, word);
            word = 0;
        }
    }
    return h;
}

uint64_t sqlite_schema_hash_row(uint64_t store_id, const struct store_row *row)
{
    const plat_store_record *r = &row->record;
    const uint64_t words[] = { r->seq, row->number, row->total, row->size, (uint64_t)r->stored_s,
                               r->tag, r->id,       r->ttl_ms,  r->flags,  row->gap };
    uint64_t h = store_id;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        h = hash_u64(h, words[i]);
    }
    return row->gap ? h : hash_bytes(hash_bytes(h, r->head, r->head_len), r->body, r->body_len);
}

uint64_t sqlite_schema_hash_meta(const struct store_meta *m)
{
    const uint64_t words[] = { m->reserved, m->in_use,    m->first,   m->last,
                               m->gaps,     m->gap_bytes, m->wal_salt };
    uint64_t h =
        /* Without this constant, a row of zeros could have the hash zero. */
        m->id ^ SQLITE_SCHEMA_APPLICATION;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        h = hash_u64(h, words[i]);
    }
    return h;
}

/* --- rows -------------------------------------------------------------------- */

void sqlite_schema_release(struct sqlite_schema *c, enum store_statement which)
{
    sqlite3_reset(c->statements[which]);
}

uint64_t sqlite_schema_column(const struct sqlite_schema *c, enum store_statement which, int column)
{
    return (uint64_t)sqlite3_column_int64(c->statements[which], column);
}

plat_result sqlite_schema_run(struct sqlite_schema *c, enum store_statement which, uint64_t a,
                              uint64_t b)
{
    sqlite3_stmt *st = c->statements[which];
    int wanted = sqlite3_bind_parameter_count(st);

    if (wanted > 0) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)a);
    }
    if (wanted > 1) {
        sqlite3_bind_int64(st, 2, (sqlite3_int64)b);
    }
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        return PLAT_OK;
    }
    plat_result r = rc == SQLITE_DONE ? PLAT_EOF : sqlite_file_fail_sqlite(c->file, rc);
    sqlite3_reset(st);
    return r;
}

static plat_result blob(struct sqlite_schema *c, sqlite3_stmt *st, int column, const void **out,
                        size_t *len)
{
    *out = sqlite3_column_blob(st, column);
    *len = (size_t)sqlite3_column_bytes(st, column);
    if (*out == NULL && sqlite3_errcode(c->file->db) == SQLITE_NOMEM) {
        return sqlite_file_fail_sqlite(c->file, SQLITE_NOMEM);
    }
    return PLAT_OK;
}

plat_result sqlite_schema_fetch(struct sqlite_schema *c, enum store_statement which, uint64_t seq,
                                struct store_row *row)
{
    plat_result r = sqlite_schema_run(c, which, seq, 0);
    assert(sqlite_schema_valid(c));
    if (r != PLAT_OK) {
        return r;
    }
    sqlite3_stmt *st = c->statements[which];
    *row = (struct store_row){
        .record = { .seq = sqlite_schema_column(c, which, 0),
                    .stored_s = sqlite3_column_int64(st, 4),
                    .tag = sqlite_schema_column(c, which, 5),
                    .id = (uint32_t)sqlite_schema_column(c, which, 6),
                    .ttl_ms = (uint32_t)sqlite_schema_column(c, which, 7),
                    .flags = (uint32_t)sqlite_schema_column(c, which, 8) },
        .number = sqlite_schema_column(c, which, 1),
        .total = sqlite_schema_column(c, which, 2),
        .size = sqlite_schema_column(c, which, 3),
        .gap = sqlite3_column_type(st, 10) == SQLITE_NULL,
    };
    row->span = row->gap ? row->record.tag : 0;
    r = blob(c, st, 10, &row->record.head, &row->record.head_len);
    if (r == PLAT_OK) {
        r = blob(c, st, 11, &row->record.body, &row->record.body_len);
    }
    if (r == PLAT_OK &&
        sqlite_schema_column(c, which, 9) != sqlite_schema_hash_row(c->meta.id, row)) {
        r = sqlite_file_fail(c->file, PLAT_ERR_STORE_DAMAGED, "a record was changed");
    }
    if (r != PLAT_OK) {
        sqlite_schema_release(c, which);
    }
    return r;
}

plat_result sqlite_schema_write_meta(struct sqlite_schema *c, const struct store_meta *m)
{
    sqlite3_stmt *st = c->statements[STORE_META];
    assert(sqlite_schema_valid(c));

    sqlite3_bind_int64(st, 3, (sqlite3_int64)m->first);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)m->last);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)m->gaps);
    sqlite3_bind_int64(st, 6, (sqlite3_int64)m->gap_bytes);
    sqlite3_bind_int64(st, 7, (sqlite3_int64)m->wal_salt);
    sqlite3_bind_int64(st, 8, (sqlite3_int64)sqlite_schema_hash_meta(m));
    plat_result r = sqlite_schema_run(c, STORE_META, m->reserved, m->in_use);
    return r == PLAT_EOF ? PLAT_OK : r;
}

static plat_result prepare(struct sqlite_schema *c)
{
    for (int i = 0; i < STORE_STATEMENTS; i++) {
        int rc = sqlite3_prepare_v3(c->file->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &c->statements[i], NULL);
        if (rc != SQLITE_OK) {
            return sqlite_file_fail_sqlite(c->file, rc);
        }
    }
    return PLAT_OK;
}

void sqlite_schema_keep_meta(struct sqlite_schema *c, const struct store_meta *m)
{
    c->meta = *m;
}

plat_result sqlite_schema_ask(struct sqlite_schema *c, enum store_statement which, uint64_t *out)
{
    plat_result r = sqlite_schema_run(c, which, 0, 0);

    *out = 0;
    if (r == PLAT_OK) {
        *out = sqlite_schema_column(c, which, 0);
        sqlite_schema_release(c, which);
    }
    return r;
}

static void bind_blob(sqlite3_stmt *st, int at, const void *bytes, size_t len)
{
    if (len == 0) {
        sqlite3_bind_zeroblob(st, at, 0);
    } else {
        sqlite3_bind_blob(st, at, bytes, (int)len, SQLITE_STATIC);
    }
}

plat_result sqlite_schema_insert(struct sqlite_schema *c, const struct store_row *row)
{
    const plat_store_record *r = &row->record;
    assert(sqlite_schema_valid(c));
    const uint64_t numbers[] = {
        r->seq, row->number, row->total, row->size, (uint64_t)r->stored_s,
        r->tag, r->id,       r->ttl_ms,  r->flags,  sqlite_schema_hash_row(c->meta.id, row)
    };
    sqlite3_stmt *st = c->statements[STORE_APPEND];
    int at = 1;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sqlite3_bind_int64(st, at++, (sqlite3_int64)numbers[i]);
    }
    bind_blob(st, at++, r->head, r->head_len);
    bind_blob(st, at, r->body, r->body_len);
    int rc = sqlite3_step(st);
    plat_result result = rc == SQLITE_DONE ? PLAT_OK : sqlite_file_fail_sqlite(c->file, rc);
    sqlite3_reset(st);
    if (result == PLAT_OK) {
        c->last = *row;
    }
    return result;
}

plat_result sqlite_schema_write_gap(struct sqlite_schema *c, const struct store_row *row)
{
    sqlite3_stmt *st = c->statements[STORE_MARK_REMOVED];
    assert(sqlite_schema_valid(c));

    sqlite3_bind_int64(st, 3, (sqlite3_int64)row->size);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)row->span);
    plat_result r = sqlite_schema_run(c, STORE_MARK_REMOVED, row->record.seq,
                                      sqlite_schema_hash_row(c->meta.id, row));
    return r == PLAT_EOF ? PLAT_OK : r;
}

/* --- kind and version -------------------------------------------------------- */

/* Returns NULL if the column is NULL, or if there is no memory (see *rc). */
static const unsigned char *column_text(sqlite3_stmt *st, int column, int *rc)
{
    bool null = sqlite3_column_type(st, column) == SQLITE_NULL;
    const unsigned char *text = sqlite3_column_text(st, column);

    if (text == NULL && !null) {
        *rc = SQLITE_NOMEM;
    }
    return text;
}

static plat_result ask_text(struct sqlite_file *f, const char *sql, char *out, size_t size)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(f->db, sql, -1, &st, NULL);

    out[0] = '\0';
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
    }
    if (rc == SQLITE_ROW) {
        const unsigned char *text = column_text(st, 0, &rc);
        snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
    }
    plat_result r =
        rc == SQLITE_DONE || rc == SQLITE_ROW ? PLAT_OK : sqlite_file_fail_sqlite(f, rc);
    sqlite3_finalize(st);
    return r;
}

/* Runs a query for one text and compares it with the expected text. */
static plat_result expect(struct sqlite_file *f, const char *sql, const char *wanted,
                          plat_result otherwise, const char *why)
{
    char got[1024];
    plat_result r = ask_text(f, sql, got, sizeof got);

    return r == PLAT_OK && strcmp(got, wanted) != 0 ? sqlite_file_fail(f, otherwise, why) : r;
}

/* The checks are in this order, so that for a foreign file only its kind is reported. */
plat_result sqlite_schema_check_kind(struct sqlite_file *f)
{
    char application[16];
    char version[16];
    const struct {
        const char *sql;
        const char *wanted;
        plat_result otherwise;
        const char *why;
    } checks[] = {
        { "PRAGMA application_id", application, PLAT_ERR_STORE_VERSION,
          "it is an SQLite file, but not a store" },
        { "PRAGMA user_version", version, PLAT_ERR_STORE_VERSION,
          "it was made by another version" },
        { "PRAGMA journal_mode", "wal", PLAT_ERR_STORE_DAMAGED, "it is not in WAL mode" },
        { "PRAGMA page_size", "2048", PLAT_ERR_STORE_DAMAGED, "its pages have another size" },
        { "SELECT group_concat(sql,';') FROM (SELECT sql FROM sqlite_master ORDER BY name)",
          SQLITE_META_TABLE ";" SQLITE_RECORDS_TABLE, PLAT_ERR_STORE_DAMAGED,
          "its tables are damaged" },
    };
    plat_result r = PLAT_OK;

    snprintf(application, sizeof application, "%d", SQLITE_SCHEMA_APPLICATION);
    snprintf(version, sizeof version, "%d", SQLITE_SCHEMA_VERSION);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && r == PLAT_OK; i++) {
        r = expect(f, checks[i].sql, checks[i].wanted, checks[i].otherwise, checks[i].why);
    }
    return r;
}

/* --- what is in it ----------------------------------------------------------- */

static plat_result take_meta(struct sqlite_schema *c, sqlite3_stmt *st, const char *owner)
{
    c->meta = (struct store_meta){
        .id = (uint64_t)sqlite3_column_int64(st, 0),
        .reserved = (uint64_t)sqlite3_column_int64(st, 2),
        .in_use = sqlite3_column_int64(st, 3) != 0,
        .first = (uint64_t)sqlite3_column_int64(st, 4),
        .last = (uint64_t)sqlite3_column_int64(st, 5),
        .gaps = (uint64_t)sqlite3_column_int64(st, 6),
        .gap_bytes = (uint64_t)sqlite3_column_int64(st, 7),
        .wal_salt = (uint64_t)sqlite3_column_int64(st, 8),
    };
    if ((uint64_t)sqlite3_column_int64(st, 9) != sqlite_schema_hash_meta(&c->meta)) {
        return sqlite_file_fail(c->file, PLAT_ERR_STORE_DAMAGED, "its description is damaged");
    }
    int rc = SQLITE_OK;
    const unsigned char *text = column_text(st, 1, &rc);
    if (rc != SQLITE_OK) {
        return sqlite_file_fail_sqlite(c->file, rc);
    }
    if (text == NULL || strcmp((const char *)text, owner) != 0) {
        return sqlite_file_fail(c->file, PLAT_ERR_STORE_VERSION, "it was made for another owner");
    }
    return PLAT_OK;
}

static plat_result read_meta(struct sqlite_schema *c, const char *owner)
{
    static const char sql[] = "SELECT id,owner,reserved,in_use,first,last,holes,hole_bytes,"
                              "wal_salt,hash "
                              "FROM meta";
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(c->file->db, sql, -1, &st, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
    }
    plat_result r = rc == SQLITE_ROW    ? take_meta(c, st, owner)
                    : rc == SQLITE_DONE ? sqlite_file_fail(c->file, PLAT_ERR_STORE_DAMAGED,
                                                           "its description is missing")
                                        : sqlite_file_fail_sqlite(c->file, rc);
    sqlite3_finalize(st);
    return r;
}

static bool fits_meta(const struct sqlite_schema *c, const struct store_row *first)
{
    const struct store_meta *m = &c->meta;
    const struct store_row *last = &c->last;

    if (first->record.seq != m->first || last->number < first->number ||
        last->record.seq >= m->reserved) {
        return false;
    }
    return m->in_use || last->record.seq == m->last;
}

/* Reads the first and the last row, which show how many rows are between them. */
static plat_result read_ends(struct sqlite_schema *c, struct sqlite_contents *out)
{
    struct store_row first = { 0 };
    const struct store_meta *m = &c->meta;
    plat_result r = sqlite_schema_fetch(c, STORE_READ, 0, &first);

    if (r == PLAT_OK) {
        sqlite_schema_release(c, STORE_READ);
        r = sqlite_schema_fetch(c, STORE_LAST, 0, &c->last);
    }
    if (r == PLAT_OK) {
        sqlite_schema_release(c, STORE_LAST);
    }
    uint64_t rows = c->last.number - first.number + 1 + first.span;
    uint64_t bytes = c->last.total - first.total + first.size;
    bool missing =
        r == PLAT_EOF ||
        (r == PLAT_OK && (!fits_meta(c, &first) || m->gaps > rows || m->gap_bytes > bytes));
    if (missing) {
        r = sqlite_file_fail(c->file, PLAT_ERR_STORE_DAMAGED, "records are missing");
    }
    if (r == PLAT_OK) {
        *out = (struct sqlite_contents){ .count = rows - m->gaps,
                                         .bytes = bytes - m->gap_bytes,
                                         .first_seq = first.record.seq,
                                         .first_number = first.number };
    }
    return r;
}

/* Checks the WAL, which a store in use must have. Its first append has written a frame that
 * survives a loss of power, and since then each append has restarted the WAL at most a few
 * times. */
static plat_result check_wal(struct sqlite_schema *c, int64_t wal_bytes)
{
    uint64_t salt = 0;

    if (wal_bytes < SQLITE_WAL_FRAME + 32) {
        return sqlite_file_fail(c->file, PLAT_ERR_STORE_DAMAGED,
                                "it was not closed, and its -wal file is missing");
    }
    if (!sqlite_wal_salt(c->wal, &salt) || (uint32_t)(salt - c->meta.wal_salt) > WAL_RESTARTS) {
        return sqlite_file_fail(c->file, PLAT_ERR_STORE_DAMAGED,
                                "its -wal file is damaged or belongs to another store");
    }
    return PLAT_OK;
}

plat_result sqlite_schema_load(struct sqlite_schema *c, const char *owner, int64_t wal_bytes,
                               struct sqlite_contents *out)
{
    plat_result r = sqlite_schema_check_kind(c->file);

    if (r == PLAT_OK) {
        r = read_meta(c, owner);
    }
    if (r == PLAT_OK && c->meta.in_use) {
        r = check_wal(c, wal_bytes);
    }
    if (r == PLAT_OK) {
        r = prepare(c);
    }
    return r == PLAT_OK ? read_ends(c, out) : r;
}
