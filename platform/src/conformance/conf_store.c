#include <string.h>

#include "conformance/conf_groups.h"

#define OPEN     "the open function of the store"
#define APPEND   "plat_store.append"
#define READ     "plat_store.read"
#define REMOVE   "plat_store.remove"
#define SYNC     "plat_store.sync"
#define DEADLINE "plat_store.next_deadline"
#define INFO     "plat_store.info"
#define DETAIL   "plat_store.detail"
#define CLOSE    "plat_store.close"

enum {
    HEAD_MAX = 25,
    BODY_AT = 32, /* in the shared buffer */
    BODY_MAX = 200,
    FEW = 12,
    CUTS = 40,
    FILL_MAX = 20000
};

/* A store, and the records that it must have: those from first to last, without a gap. They are
 * numbered by their tags; their sequence numbers may begin anywhere. */
struct shelf {
    struct conf_run *run;
    plat_store *store; /* NULL: not open */
    uint32_t first;
    uint32_t last;
    uint64_t last_seq; /* of the record that was appended last */
    uint64_t now_ms;
};

static size_t head_len(uint32_t number)
{
    return number % HEAD_MAX;
}

static size_t body_len(uint32_t number)
{
    return number * 37 % BODY_MAX;
}

static bool open_shelf(struct shelf *s)
{
    const plat_conformance_store *c = s->run->c->store;

    s->store = NULL;
    plat_result r = c->open(c->user, &s->store);
    return conf_run_rule(s->run, r == PLAT_OK && s->store != NULL, OPEN, "it opens the store");
}

static plat_result append(struct shelf *s)
{
    const uint32_t number = s->last + 1;
    uint8_t *bytes = s->run->out;
    plat_store_record r = {
        .stored_s = -(int64_t)number,
        .tag = UINT64_MAX - number,
        .id = number,
        .ttl_ms = number + 1,
        .flags = ~number,
        .head = bytes,
        .head_len = head_len(number),
        .body = bytes + BODY_AT,
        .body_len = body_len(number),
    };

    for (uint32_t i = 0; i < BODY_AT + BODY_MAX; i++) {
        bytes[i] = conf_run_byte(number + i);
    }
    plat_result result = s->store->ops->append(s->store, &r, s->now_ms);
    if (result == PLAT_OK) {
        s->last++;
        s->last_seq = r.seq;
    }
    return result;
}

static bool append_few(struct shelf *s)
{
    for (int i = 0; i < FEW; i++) {
        if (append(s) != PLAT_OK) {
            return false;
        }
    }
    return true;
}

static bool bytes_right(const void *bytes, size_t len, uint32_t from)
{
    for (size_t i = 0; i < len; i++) {
        if (((const uint8_t *)bytes)[i] != conf_run_byte(from + (uint32_t)i)) {
            return false;
        }
    }
    return true;
}

static uint32_t number_of(const plat_store_record *r)
{
    return (uint32_t)(UINT64_MAX - r->tag);
}

static bool record_right(const plat_store_record *r)
{
    const uint32_t n = number_of(r);

    return r->stored_s == -(int64_t)n && r->id == n && r->ttl_ms == n + 1 && r->flags == ~n &&
           r->head_len == head_len(n) && r->body_len == body_len(n) &&
           bytes_right(r->head, r->head_len, n) && bytes_right(r->body, r->body_len, n + BODY_AT);
}

/* What a walk through all records has found. */
struct found {
    bool right;   /* each record is as it was stored */
    bool ordered; /* their numbers and sequence numbers ascend by one */
    bool ended;   /* by PLAT_EOF */
    uint32_t first;
    uint32_t last; /* below first: there is no record */
    uint64_t bytes;
    uint64_t count;
};

static struct found walk(struct shelf *s)
{
    struct found f = { .right = true, .ordered = true, .first = 1 };
    plat_store_record r;
    uint64_t seq = 0;
    plat_result result;

    while ((result = s->store->ops->read(s->store, seq, &r)) == PLAT_OK && f.count < FILL_MAX) {
        const uint32_t number = number_of(&r);
        f.right = f.right && record_right(&r);
        f.ordered = f.ordered && r.seq >= seq && (f.count == 0 || number == f.last + 1);
        f.first = f.count == 0 ? number : f.first;
        f.last = number;
        f.bytes += r.head_len + r.body_len;
        f.count++;
        seq = r.seq + 1;
    }
    f.ended = result == PLAT_EOF;
    return f;
}

static bool has_all(const struct shelf *s, const struct found *f)
{
    const uint32_t count = s->last + 1 - s->first;

    return f->count == count && (count == 0 || (f->first == s->first && f->last == s->last));
}

static void check_contents(struct shelf *s, const char *rule)
{
    const struct found f = walk(s);
    plat_store_info info;

    s->store->ops->info(s->store, &info);
    conf_run_rule(s->run, f.right, READ, "each record is as it was appended");
    conf_run_rule(s->run, f.ordered, READ, "records are in the order in which they were appended");
    conf_run_rule(s->run, f.ended, READ, "behind the last record it returns PLAT_EOF");
    conf_run_rule(s->run, has_all(s, &f), READ, rule);
    conf_run_rule(s->run, info.count == f.count && info.bytes == f.bytes, INFO,
                  "count and bytes are those of the records");
    conf_run_rule(s->run, s->last_seq == 0 || info.next_seq > s->last_seq, INFO,
                  "next_seq is above every number that was used");
}

static plat_result remove_first(struct shelf *s)
{
    plat_store_record r;
    plat_result result = s->store->ops->read(s->store, 0, &r);

    if (result == PLAT_OK) {
        result = s->store->ops->remove(s->store, r.seq, s->now_ms);
    }
    s->first += result == PLAT_OK ? 1 : 0;
    return result;
}

static bool remove_all(struct shelf *s)
{
    while (s->first <= s->last) {
        if (remove_first(s) != PLAT_OK) {
            return false;
        }
    }
    return true;
}

/* --- the rules --------------------------------------------------------------------------- */

static void check_appending(struct shelf *s)
{
    plat_store_info before;
    plat_store_info after;

    s->store->ops->info(s->store, &before);
    conf_run_rule(s->run, append_few(s), APPEND, "it stores records of all sizes up to 224 bytes");
    s->store->ops->info(s->store, &after);
    conf_run_rule(s->run,
                  after.next_seq == before.next_seq + FEW && s->last_seq + 1 == after.next_seq,
                  APPEND, "it sets seq, which is one more than that of the record before");
    conf_run_rule(s->run, s->store->ops->detail(s->store)[0] == '\0', DETAIL,
                  "it is \"\" without a failure");
    check_contents(s, "it returns all records");
}

static void check_removing(struct shelf *s)
{
    plat_store_record r;

    const plat_result first = remove_first(s);
    const plat_result second = remove_first(s);
    conf_run_rule(s->run, first == PLAT_OK && second == PLAT_OK, REMOVE, "it removes a record");
    check_contents(s, "it takes removals into account immediately");
    conf_run_rule(s->run,
                  s->store->ops->remove(s->store, 0, s->now_ms) == PLAT_OK &&
                      s->store->ops->remove(s->store, UINT64_MAX, s->now_ms) == PLAT_OK,
                  REMOVE, "it is no error if there is no such record");
    conf_run_rule(s->run,
                  s->store->ops->read(s->store, s->last_seq, &r) == PLAT_OK && r.seq == s->last_seq,
                  READ, "it begins at the number that it is given");
}

static void check_deadline(struct shelf *s)
{
    const uint64_t deadline = s->store->ops->next_deadline(s->store);

    if (deadline != 0) {
        (void)s->store->ops->on_time(s->store, deadline);
        conf_run_rule(s->run, s->store->ops->next_deadline(s->store) == 0, DEADLINE,
                      "on_time at the deadline ends it");
    }
    (void)append(s);
    conf_run_rule(s->run,
                  s->store->ops->sync(s->store) == PLAT_OK &&
                      s->store->ops->next_deadline(s->store) == 0,
                  SYNC, "it succeeds, and no call is needed afterwards");
}

static bool reopen(struct shelf *s)
{
    plat_store_info before;
    plat_store_info after;

    s->store->ops->info(s->store, &before);
    s->store->user = s;
    const plat_result kept = s->store->ops->close(s->store);
    conf_run_rule(s->run, kept == PLAT_ERR_STATE, CLOSE,
                  "while a client has the store it returns PLAT_ERR_STATE");
    if (kept != PLAT_OK) {
        s->store->user = NULL;
        conf_run_rule(s->run, s->store->ops->close(s->store) == PLAT_OK, CLOSE, "it succeeds");
    }
    if (!open_shelf(s)) {
        return false;
    }
    s->store->ops->info(s->store, &after);
    conf_run_rule(s->run, after.id == before.id, INFO, "id stays the same");
    return true;
}

/* Everything that was stored or removed before a sync survives a loss of power. */
static bool check_loss(struct shelf *s)
{
    const plat_conformance_store *c = s->run->c->store;

    (void)append_few(s);
    (void)remove_first(s);
    (void)s->store->ops->sync(s->store);
    c->lost(c->user, s->store);
    if (!open_shelf(s)) {
        return false;
    }
    check_contents(s, "what was synced is there after a loss of power, and nothing else");
    return true;
}

/* The power fails at a write. Returns false if the store cannot be used afterwards. */
static bool cut(struct shelf *s, uint32_t writes, bool *kept)
{
    const plat_conformance_store *c = s->run->c->store;

    (void)s->store->ops->sync(s->store);
    c->cut_in(c->user, writes);
    plat_result r = PLAT_OK;
    for (int i = 0; i < FEW && r == PLAT_OK; i++) {
        r = append(s);
        if (r == PLAT_OK) {
            r = s->store->ops->sync(s->store);
            s->last -= r == PLAT_OK ? 0 : 1; /* not synced, so it may be lost */
        }
    }
    c->lost(c->user, s->store);
    if (!open_shelf(s)) {
        return false;
    }
    const struct found f = walk(s);
    const uint32_t one_more = f.count > 0 && f.last == s->last + 1 ? 1 : 0;
    s->last += one_more;
    *kept = *kept && f.right && f.ordered && f.ended && has_all(s, &f);
    s->first = f.count > 0 ? f.first : s->last + 1; /* goes on with what is there */
    s->last = f.count > 0 ? f.last : s->last;
    return remove_all(s);
}

static bool check_cuts(struct shelf *s)
{
    bool kept = true;
    bool usable = true;

    for (uint32_t n = 1; n <= CUTS && usable; n++) {
        usable = cut(s, n, &kept);
    }
    conf_run_rule(s->run, kept, APPEND,
                  "after a loss of power during a write, all earlier records are there, in order");
    return conf_run_rule(s->run, usable, OPEN, "it succeeds after a loss of power during a write");
}

static void check_full(struct shelf *s)
{
    plat_result r;

    while ((r = append(s)) == PLAT_OK && s->last - s->first < FILL_MAX) {
    }
    conf_run_rule(s->run, r == PLAT_ERR_FULL, APPEND, "a full store returns PLAT_ERR_FULL");
    check_contents(s, "a full store has all records that it has accepted");
    conf_run_rule(s->run, remove_all(s) && s->store->ops->sync(s->store) == PLAT_OK, REMOVE,
                  "all records of a full store can be removed");
    conf_run_rule(s->run, append(s) == PLAT_OK, APPEND, "a store that was full accepts records");
}

void conf_store(struct conf_run *run)
{
    const plat_conformance_store *c = run->c->store;
    struct shelf s = { .run = run, .first = 1, .now_ms = 1000 };

    if (!open_shelf(&s)) {
        return;
    }
    check_appending(&s);
    check_removing(&s);
    check_deadline(&s);
    if (!reopen(&s)) {
        return;
    }
    check_contents(&s, "it returns all records after the store was closed and opened");
    conf_run_rule(run, remove_all(&s), REMOVE, "it removes every record");
    if (!reopen(&s)) {
        return;
    }
    check_contents(&s, "removed records do not come back after the store was closed");
    check_appending(&s);
    if ((c->lost != NULL && !check_loss(&s)) ||
        (c->lost != NULL && c->cut_in != NULL && !check_cuts(&s))) {
        return;
    }
    if (c->fill) {
        check_full(&s);
    }
    conf_run_rule(run, s.store->ops->close(s.store) == PLAT_OK, CLOSE, "it succeeds");
}
