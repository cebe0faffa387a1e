#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sqlite_private.h"

enum { WAL_RESTARTS = 1 << 20 };

#define META_TABLE                                                                       \
    "CREATE TABLE meta(id INTEGER, owner TEXT, reserved INTEGER, in_use INTEGER,"        \
    " first INTEGER, last INTEGER, holes INTEGER, hole_bytes INTEGER, wal_salt INTEGER," \
    " hash INTEGER)"
#define RECORDS_TABLE                                                                            \
    "CREATE TABLE records(seq INTEGER PRIMARY KEY, number INTEGER, total INTEGER, size INTEGER," \
    " stored_s INTEGER, tag INTEGER, id INTEGER, ttl_ms INTEGER, flags INTEGER, hash INTEGER,"   \
    " head BLOB, body BLOB)"
#define ROW "SELECT seq,number,total,size,stored_s,tag,id,ttl_ms,flags,hash,head,body FROM records "
/* typeof: does not load the bytes. */
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
    [STORE_HOLES] = "SELECT sum(1+tag),sum(size) FROM records WHERE seq<?1 AND NOT " LIVE,
    [STORE_BEFORE] = BESIDE "WHERE seq<?1 ORDER BY seq DESC LIMIT 1",
    [STORE_AFTER] = BESIDE "WHERE seq>?1 ORDER BY seq LIMIT 1",
    [STORE_DELETE] = "DELETE FROM records WHERE seq<?1",
    [STORE_DELETE_ONE] = "DELETE FROM records WHERE seq=?1",
    [STORE_DIG] = "UPDATE records SET size=?3,stored_s=0,tag=?4,id=0,ttl_ms=0,flags=0,hash=?2,"
                  "head=NULL,body=NULL WHERE seq=?1",
    [STORE_META] = "UPDATE meta SET reserved=?1,in_use=?2,first=?3,last=?4,holes=?5,hole_bytes=?6,"
                   "wal_salt=?7,hash=?8",
    [STORE_PAGES] = "PRAGMA page_count",
    [STORE_FREE_PAGES] = "PRAGMA freelist_count",
};

/* Each step is a bijection of h: one changed word always changes the end. */
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

uint64_t sqlite_store_hash_row(const struct sqlite_store *s, const struct store_row *row)
{
    const plat_store_record *r = &row->record;
    const uint64_t words[] = { r->seq, row->number, row->total, row->size, (uint64_t)r->stored_s,
                               r->tag, r->id,       r->ttl_ms,  r->flags,  row->hole };
    uint64_t h = s->meta.id;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        h = hash_u64(h, words[i]);
    }
    return row->hole ? h : hash_bytes(hash_bytes(h, r->head, r->head_len), r->body, r->body_len);
}

static uint64_t hash_meta(const struct store_meta *m)
{
    const uint64_t words[] = { m->reserved, m->in_use,     m->first,   m->last,
                               m->holes,    m->hole_bytes, m->wal_salt };
    uint64_t h = m->id ^ SQLITE_STORE_APPLICATION; /* else zeros would have the hash zero */

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        h = hash_u64(h, words[i]);
    }
    return h;
}

void sqlite_store_release(struct sqlite_store *s, enum store_statement which)
{
    sqlite3_reset(s->statements[which]);
}

uint64_t sqlite_store_column(const struct sqlite_store *s, enum store_statement which, int column)
{
    return (uint64_t)sqlite3_column_int64(s->statements[which], column);
}

plat_result sqlite_store_run(struct sqlite_store *s, enum store_statement which, uint64_t a,
                             uint64_t b)
{
    sqlite3_stmt *st = s->statements[which];
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
    plat_result r = rc == SQLITE_DONE ? PLAT_EOF : sqlite_store_from_sqlite(s, rc);
    sqlite3_reset(st);
    return r;
}

static plat_result blob(struct sqlite_store *s, sqlite3_stmt *st, int column, const void **out,
                        size_t *len)
{
    *out = sqlite3_column_blob(st, column);
    *len = (size_t)sqlite3_column_bytes(st, column);
    if (*out == NULL && sqlite3_errcode(s->db) == SQLITE_NOMEM) {
        return sqlite_store_from_sqlite(s, SQLITE_NOMEM);
    }
    return PLAT_OK;
}

plat_result sqlite_store_fetch(struct sqlite_store *s, enum store_statement which, uint64_t seq,
                               struct store_row *row)
{
    plat_result r = sqlite_store_run(s, which, seq, 0);
    if (r != PLAT_OK) {
        return r;
    }
    sqlite3_stmt *st = s->statements[which];
    *row = (struct store_row){
        .record = { .seq = sqlite_store_column(s, which, 0),
                    .stored_s = sqlite3_column_int64(st, 4),
                    .tag = sqlite_store_column(s, which, 5),
                    .id = (uint32_t)sqlite_store_column(s, which, 6),
                    .ttl_ms = (uint32_t)sqlite_store_column(s, which, 7),
                    .flags = (uint32_t)sqlite_store_column(s, which, 8) },
        .number = sqlite_store_column(s, which, 1),
        .total = sqlite_store_column(s, which, 2),
        .size = sqlite_store_column(s, which, 3),
        .hole = sqlite3_column_type(st, 10) == SQLITE_NULL,
    };
    row->span = row->hole ? row->record.tag : 0;
    r = blob(s, st, 10, &row->record.head, &row->record.head_len);
    if (r == PLAT_OK) {
        r = blob(s, st, 11, &row->record.body, &row->record.body_len);
    }
    if (r == PLAT_OK && sqlite_store_column(s, which, 9) != sqlite_store_hash_row(s, row)) {
        r = sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "a record is not what was stored");
    }
    if (r != PLAT_OK) {
        sqlite_store_release(s, which);
    }
    return r;
}

plat_result sqlite_store_write_meta(struct sqlite_store *s, const struct store_meta *m)
{
    sqlite3_stmt *st = s->statements[STORE_META];

    sqlite3_bind_int64(st, 3, (sqlite3_int64)m->first);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)m->last);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)m->holes);
    sqlite3_bind_int64(st, 6, (sqlite3_int64)m->hole_bytes);
    sqlite3_bind_int64(st, 7, (sqlite3_int64)m->wal_salt);
    sqlite3_bind_int64(st, 8, (sqlite3_int64)hash_meta(m));
    plat_result r = sqlite_store_run(s, STORE_META, m->reserved, m->in_use);
    return r == PLAT_EOF ? PLAT_OK : r;
}

static plat_result prepare(struct sqlite_store *s)
{
    for (int i = 0; i < STORE_STATEMENTS; i++) {
        int rc = sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &s->statements[i], NULL);
        if (rc != SQLITE_OK) {
            return sqlite_store_from_sqlite(s, rc);
        }
    }
    return PLAT_OK;
}

/* --- of what kind ------------------------------------------------------- */

/* NULL: there is none, or no memory for it. */
static const unsigned char *column_text(sqlite3_stmt *st, int column, int *rc)
{
    bool null = sqlite3_column_type(st, column) == SQLITE_NULL;
    const unsigned char *text = sqlite3_column_text(st, column);

    if (text == NULL && !null) {
        *rc = SQLITE_NOMEM;
    }
    return text;
}

static plat_result ask(struct sqlite_store *s, const char *sql, char *out, size_t size)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

    out[0] = '\0';
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
    }
    if (rc == SQLITE_ROW) {
        const unsigned char *text = column_text(st, 0, &rc);
        snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
    }
    plat_result r =
        rc == SQLITE_DONE || rc == SQLITE_ROW ? PLAT_OK : sqlite_store_from_sqlite(s, rc);
    sqlite3_finalize(st);
    return r;
}

/* Ask, and compare the answer. */
static plat_result expect(struct sqlite_store *s, const char *sql, const char *wanted,
                          plat_result otherwise, const char *why)
{
    char got[1024];
    plat_result r = ask(s, sql, got, sizeof got);

    return r == PLAT_OK && strcmp(got, wanted) != 0 ? sqlite_store_fail(s, otherwise, why) : r;
}

/* In this order: of a foreign file nothing but its kind is said. */
static plat_result check_kind(struct sqlite_store *s)
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
          "an SQLite file, but not a store" },
        { "PRAGMA user_version", version, PLAT_ERR_STORE_VERSION, "made by another version" },
        { "PRAGMA journal_mode", "wal", PLAT_ERR_STORE_DAMAGED, "not in WAL mode" },
        { "PRAGMA page_size", "2048", PLAT_ERR_STORE_DAMAGED, "its pages have another size" },
        { "SELECT group_concat(sql,';') FROM (SELECT sql FROM sqlite_master ORDER BY name)",
          META_TABLE ";" RECORDS_TABLE, PLAT_ERR_STORE_DAMAGED, "its tables are damaged" },
    };
    plat_result r = PLAT_OK;

    snprintf(application, sizeof application, "%d", SQLITE_STORE_APPLICATION);
    snprintf(version, sizeof version, "%d", SQLITE_STORE_VERSION);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && r == PLAT_OK; i++) {
        r = expect(s, checks[i].sql, checks[i].wanted, checks[i].otherwise, checks[i].why);
    }
    return r;
}

/* --- making one --------------------------------------------------------- */

/* The row before the first record: a hole that no number counts. */
static plat_result write_first_rows(struct sqlite_store *s, const char *owner)
{
    struct store_row first = { .hole = true };
    struct store_meta m = { .reserved = 1, .holes = 1 };

    sqlite3_randomness((int)sizeof m.id, &m.id);
    s->meta.id = m.id;
    char *sql = sqlite3_mprintf(
        "PRAGMA application_id=%d; PRAGMA user_version=%d;" META_TABLE ";" RECORDS_TABLE ";"
        "INSERT INTO records VALUES(0,0,0,0,0,0,0,0,0,%lld,NULL,NULL);"
        "INSERT INTO meta VALUES(%lld,%Q,1,0,0,0,1,0,0,%lld);",
        SQLITE_STORE_APPLICATION, SQLITE_STORE_VERSION, (long long)sqlite_store_hash_row(s, &first),
        (long long)m.id, owner, (long long)hash_meta(&m));
    plat_result r = sql == NULL ? sqlite_store_fail(s, PLAT_ERR_MEMORY, "out of memory")
                                : sqlite_store_exec(s, sql);
    sqlite3_free(sql);
    return r;
}

static plat_result fill(struct sqlite_store *s, const char *path, const plat_sqlite_options *o)
{
    plat_result r = sqlite_store_connect(s, path);

    if (r == PLAT_OK) {
        r = sqlite_store_configure(s, o);
    }
    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, "PRAGMA page_size=2048; PRAGMA journal_mode=WAL; BEGIN");
    }
    if (r == PLAT_OK) {
        r = write_first_rows(s, o->owner);
    }
    if (r == PLAT_OK) {
        r = sqlite_store_exec(s, "COMMIT");
    }
    if (r == PLAT_OK) {
        r = sqlite_store_checkpoint(s);
    }
    /* A pragma that fails may say nothing. */
    if (r == PLAT_OK && check_kind(s) != PLAT_OK) {
        s->latched = PLAT_OK;
        r = sqlite_store_fail(s, PLAT_ERR_STORE, "cannot be made");
    }
    sqlite_store_disconnect(s, false);
    return r;
}

/* Made under another name, so that a store is there as a whole or not at all. */
plat_result sqlite_store_create(struct sqlite_store *s, const plat_sqlite_options *o)
{
    int limit = sqlite_store_check_limit(sqlite_store_first_bytes());
    if (limit != 0) {
        return sqlite_store_fail_errno(s, limit);
    }
    char *name = sqlite3_mprintf("%s.XXXXXX", o->path);
    char *wal = NULL;
    int fd = name != NULL ? mkstemp(name) : -1;

    if (fd < 0) {
        plat_result failed = name == NULL ? PLAT_ERR_MEMORY : sqlite_store_fail_errno(s, errno);
        sqlite3_free(name);
        return failed;
    }
    (void)close(fd);
    plat_result r = fill(s, name, o);
    int error = r == PLAT_OK ? sqlite_store_make_first(name) : 0;
    if (error != 0) {
        r = sqlite_store_fail_errno(s, error);
    }
    if (r == PLAT_OK && link(name, o->path) != 0 && errno != EEXIST) {
        r = rename(name, o->path) == 0
                ? PLAT_OK
                : sqlite_store_fail_errno(s, errno); /* a disk without links */
    }
    (void)unlink(name);
    wal = sqlite3_mprintf("%s-wal", name);
    if (wal != NULL) {
        (void)unlink(wal); /* there after a failure only */
    }
    sqlite3_free(wal);
    sqlite3_free(name);
    return r;
}

/* --- checking one ------------------------------------------------------- */

static plat_result take_meta(struct sqlite_store *s, sqlite3_stmt *st, const char *owner)
{
    s->meta = (struct store_meta){
        .id = (uint64_t)sqlite3_column_int64(st, 0),
        .reserved = (uint64_t)sqlite3_column_int64(st, 2),
        .in_use = sqlite3_column_int64(st, 3) != 0,
        .first = (uint64_t)sqlite3_column_int64(st, 4),
        .last = (uint64_t)sqlite3_column_int64(st, 5),
        .holes = (uint64_t)sqlite3_column_int64(st, 6),
        .hole_bytes = (uint64_t)sqlite3_column_int64(st, 7),
        .wal_salt = (uint64_t)sqlite3_column_int64(st, 8),
    };
    if ((uint64_t)sqlite3_column_int64(st, 9) != hash_meta(&s->meta)) {
        return sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "its description is damaged");
    }
    int rc = SQLITE_OK;
    const unsigned char *text = column_text(st, 1, &rc);
    if (rc != SQLITE_OK) {
        return sqlite_store_from_sqlite(s, rc);
    }
    if (text == NULL || strcmp((const char *)text, owner) != 0) {
        return sqlite_store_fail(s, PLAT_ERR_STORE_VERSION, "made for another owner");
    }
    return PLAT_OK;
}

static plat_result read_meta(struct sqlite_store *s, const char *owner)
{
    static const char sql[] = "SELECT id,owner,reserved,in_use,first,last,holes,hole_bytes,"
                              "wal_salt,hash "
                              "FROM meta";
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
    }
    plat_result r = rc == SQLITE_ROW ? take_meta(s, st, owner)
                    : rc == SQLITE_DONE
                        ? sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "no description")
                        : sqlite_store_from_sqlite(s, rc);
    sqlite3_finalize(st);
    return r;
}

/* The first and the last row, and what they say about all between. */
static plat_result read_ends(struct sqlite_store *s)
{
    struct store_row first = { 0 };
    const struct store_meta *m = &s->meta;
    plat_result r = sqlite_store_fetch(s, STORE_READ, 0, &first);

    if (r == PLAT_OK) {
        sqlite_store_release(s, STORE_READ);
        r = sqlite_store_fetch(s, STORE_LAST, 0, &s->last);
    }
    if (r == PLAT_OK) {
        sqlite_store_release(s, STORE_LAST);
    }
    uint64_t rows = s->last.number - first.number + 1 + first.span;
    uint64_t bytes = s->last.total - first.total + first.size;
    if (r == PLAT_EOF || (r == PLAT_OK && (first.record.seq != m->first || m->holes > rows ||
                                           m->hole_bytes > bytes || s->last.number < first.number ||
                                           s->last.record.seq >= m->reserved ||
                                           (!m->in_use && s->last.record.seq != m->last)))) {
        r = sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED, "records are missing");
    }
    if (r != PLAT_OK) {
        return r;
    }
    s->count = rows - m->holes;
    s->bytes = bytes - m->hole_bytes;
    s->below = m->first;
    s->seen_seq = first.record.seq - 1;
    s->seen_number = first.number - 1;
    /* After a crash nobody knows which of the reserved numbers were given out. */
    s->next_seq = m->reserved;
    return PLAT_OK;
}

/* A store in use has a WAL: its first append has put a frame there that outlives a loss of power,
 * and there are at most some restarts of the WAL for each append since. */
static plat_result check_wal(struct sqlite_store *s, int64_t wal_bytes)
{
    uint64_t salt = 0;

    if (wal_bytes < SQLITE_STORE_FRAME + 32) {
        return sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED,
                                 "it was in use, but its -wal file is lost");
    }
    if (!sqlite_store_wal_salt(s, &salt) || (uint32_t)(salt - s->meta.wal_salt) > WAL_RESTARTS) {
        return sqlite_store_fail(s, PLAT_ERR_STORE_DAMAGED,
                                 "its -wal file is damaged or of another file");
    }
    return PLAT_OK;
}

plat_result sqlite_store_load(struct sqlite_store *s, const char *owner, int64_t wal_bytes)
{
    plat_result r = check_kind(s);

    if (r == PLAT_OK) {
        r = read_meta(s, owner);
    }
    if (r == PLAT_OK && s->meta.in_use) {
        r = check_wal(s, wal_bytes);
    }
    if (r == PLAT_OK) {
        r = prepare(s);
    }
    return r == PLAT_OK ? read_ends(s) : r;
}
