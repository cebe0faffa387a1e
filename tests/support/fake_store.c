#include "fake_store.h"

#include <stdlib.h>
#include <string.h>

static fake_store *self(const plat_store *s)
{
    return (fake_store *)(uintptr_t)s; /* the cast is valid because base is the first member */
}

static plat_result called(fake_store *s)
{
    free(s->out);
    s->out = NULL;
    s->calls++;
    bool fails = s->fail_at != 0 && s->calls >= s->fail_at && s->calls - s->fail_at < s->fail_count;
    s->failures += fails;
    s->detail = fails ? "fake.db: told to fail" : "";
    return fails ? s->fail_with : PLAT_OK;
}

static void *copy(const void *from, size_t len)
{
    void *to = malloc(len + 1);
    if (len > 0) {
        memcpy(to, from, len);
    }
    return to;
}

static uint64_t removal_due(fake_store *s, uint64_t now_ms)
{
    return s->deadline != 0 ? s->deadline : now_ms + s->sync_delay_ms;
}

static plat_result append(plat_store *base, plat_store_record *r, uint64_t now_ms)
{
    fake_store *s = self(base);
    plat_result result = called(s);

    if (result != PLAT_OK) {
        return result;
    }
    if (s->max_count != 0 && fake_store_count(s) >= s->max_count) {
        s->detail = "fake.db: full";
        return PLAT_ERR_FULL;
    }
    r->seq = s->next_seq++;
    s->records = realloc(s->records, (s->len + 1) * sizeof *s->records);
    fake_record *to = &s->records[s->len++];
    *to = (fake_record){ .r = *r };
    to->r.head = copy(r->head, r->head_len);
    to->r.body = copy(r->body, r->body_len);
    s->deadline = removal_due(s, now_ms);
    return PLAT_OK;
}

static fake_record *find(fake_store *s, uint64_t seq)
{
    size_t at = seq > s->first_seq ? (size_t)(seq - s->first_seq) : 0;

    while (at < s->len && s->records[at].removed) {
        at++;
    }
    return at < s->len ? &s->records[at] : NULL;
}

static plat_result read_record(plat_store *base, uint64_t seq, plat_store_record *out)
{
    fake_store *s = self(base);
    plat_result result = called(s);

    if (result != PLAT_OK) {
        return result;
    }
    const fake_record *found = find(s, seq);
    if (found == NULL) {
        return PLAT_EOF;
    }
    *out = found->r;
    /* Allocated anew for each read, so that ASan detects a caller that keeps the pointer. */
    s->out = malloc(out->head_len + out->body_len + 1);
    memcpy(s->out, found->r.head, out->head_len);
    memcpy(s->out + out->head_len, found->r.body, out->body_len);
    out->head = s->out;
    out->body = s->out + out->head_len;
    return PLAT_OK;
}

static plat_result remove_record(plat_store *base, uint64_t seq, uint64_t now_ms)
{
    fake_store *s = self(base);
    plat_result result = called(s);

    if (result != PLAT_OK) {
        return result;
    }
    if (seq >= s->first_seq && seq < s->next_seq) {
        s->records[seq - s->first_seq].removed = true;
        s->deadline = removal_due(s, now_ms);
    }
    return PLAT_OK;
}

static plat_result sync_all(plat_store *base)
{
    fake_store *s = self(base);
    plat_result result = called(s);

    if (result != PLAT_OK) {
        return result;
    }
    for (size_t i = 0; i < s->len; i++) {
        s->records[i].removed_for_good = s->records[i].removed;
    }
    s->deadline = 0;
    return PLAT_OK;
}

static uint64_t next_deadline(const plat_store *base)
{
    return self(base)->deadline;
}

static plat_result on_time(plat_store *base, uint64_t now_ms)
{
    fake_store *s = self(base);
    return s->deadline != 0 && s->deadline <= now_ms ? sync_all(base) : PLAT_OK;
}

static void info(const plat_store *base, plat_store_info *out)
{
    fake_store *s = self(base);

    *out = (plat_store_info){ .id = 0x0123456789abcdefu, .next_seq = s->next_seq };
    for (size_t i = 0; i < s->len; i++) {
        if (!s->records[i].removed) {
            out->count++;
            out->bytes += s->records[i].r.head_len + s->records[i].r.body_len;
        }
    }
    out->disk = out->bytes;
}

static const char *detail(const plat_store *base)
{
    return self(base)->detail;
}

static plat_result close_store(plat_store *base)
{
    return sync_all(base);
}

void fake_store_init(fake_store *s)
{
    static const plat_store_ops ops = {
        .append = append,
        .read = read_record,
        .remove = remove_record,
        .sync = sync_all,
        .next_deadline = next_deadline,
        .on_time = on_time,
        .info = info,
        .detail = detail,
        .close = close_store,
    };

    *s = (fake_store){ .base = { .ops = &ops }, .first_seq = 7, .next_seq = 7, .detail = "" };
    s->sync_delay_ms = 50;
}

void fake_store_free(fake_store *s)
{
    for (size_t i = 0; i < s->len; i++) {
        free((void *)(uintptr_t)s->records[i].r.head);
        free((void *)(uintptr_t)s->records[i].r.body);
    }
    free(s->records);
    free(s->out);
}

void fake_store_fail(fake_store *s, unsigned n, unsigned count, plat_result with)
{
    s->fail_at = n != 0 ? s->calls + n : 0;
    s->fail_count = count;
    s->fail_with = with;
}

void fake_store_crash(fake_store *s)
{
    for (size_t i = 0; i < s->len; i++) {
        s->records[i].removed = s->records[i].removed_for_good;
    }
    s->deadline = 0;
}

uint64_t fake_store_count(const fake_store *s)
{
    plat_store_info i;
    info(&s->base, &i);
    return i.count;
}
