/* Puts one deliberate fault at a time into the port for POSIX, and expects that the suite names it.
 * A fault replaces one function; everything else is the real port. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance_fixture.h"

/* The real port, and what it has returned. */
static const plat_platform *real;
static plat_clock odd_clock;
static plat_crypto odd_crypto;
static plat_net odd_net;
static plat_threads odd_threads;
static const plat_stream_ops *real_stream;
static plat_stream_ops odd_stream;
static const plat_store_ops *real_store;
static plat_store_ops odd_store;
static const plat_kv_ops *real_kv;
static plat_kv_ops odd_kv;
static struct conformance_fixture *fixture;
static unsigned calls;

/* --- a clock ------------------------------------------------------------------------------- */

static uint64_t real_ms(void)
{
    return real->clock->monotonic_ms(real->clock);
}

/* The checks of the clock take less time without a time of day. */
static int64_t no_wall(const plat_clock *c)
{
    (void)c;
    return 0;
}

static uint64_t goes_back(const plat_clock *c)
{
    (void)c;
    return real_ms() - (++calls % 100 == 0 ? 3 : 0);
}

static uint64_t microseconds(const plat_clock *c)
{
    (void)c;
    return real_ms() * 1000;
}

static uint64_t seconds(const plat_clock *c)
{
    (void)c;
    return real_ms() / 1000;
}

static int64_t wall_in_milliseconds(const plat_clock *c)
{
    (void)c;
    return real->clock->wall_s(real->clock) * 1000;
}

static void clock_goes_back(void)
{
    odd_clock.monotonic_ms = goes_back;
}

static void clock_in_microseconds(void)
{
    odd_clock.monotonic_ms = microseconds;
    odd_clock.wall_s = real->clock->wall_s;
}

static void clock_in_seconds(void)
{
    odd_clock.monotonic_ms = seconds;
}

static void wall_clock_in_milliseconds(void)
{
    odd_clock.wall_s = wall_in_milliseconds;
}

/* --- cryptography -------------------------------------------------------------------------- */

static plat_result short_key(const plat_crypto *c, const void *key, size_t key_len,
                             const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE])
{
    return real->crypto->hmac_sha256(c, key, key_len > 64 ? 64 : key_len, data, len, out);
}

static plat_result swapped(const plat_crypto *c, const void *data, size_t len,
                           uint8_t out[PLAT_SHA1_SIZE])
{
    plat_result r = real->crypto->sha1(c, data, len, out);
    const uint8_t first = out[0];

    out[0] = out[3];
    out[3] = first;
    return r;
}

static plat_result same_bytes(const plat_crypto *c, void *out, size_t len)
{
    (void)c;
    srand(1);
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = (uint8_t)(rand() >> 8);
    }
    return PLAT_OK;
}

static plat_result counted_bytes(const plat_crypto *c, void *out, size_t len)
{
    (void)c;
    memset(out, (int)++calls, len);
    return PLAT_OK;
}

static plat_result skips_line_ends(const plat_crypto *c, const char *text, size_t len, uint8_t *out,
                                   size_t cap, size_t *out_len)
{
    len -= len > 0 && text[len - 1] == '\n' ? 1 : 0;
    return real->crypto->base64_decode(c, text, len, out, cap, out_len);
}

static plat_result ends_with_nul(const plat_crypto *c, const void *data, size_t len, char *out,
                                 size_t cap, size_t *out_len)
{
    plat_result r = real->crypto->base64_encode(c, data, len, out, cap, out_len);

    if (r == PLAT_OK) {
        out[*out_len] = '\0';
    }
    return r;
}

static void hmac_cuts_long_keys(void)
{
    odd_crypto.hmac_sha256 = short_key;
}

static void sha1_in_wrong_order(void)
{
    odd_crypto.sha1 = swapped;
}

static void random_repeats(void)
{
    odd_crypto.random = same_bytes;
}

static void random_is_a_counter(void)
{
    odd_crypto.random = counted_bytes;
}

static void base64_is_not_strict(void)
{
    odd_crypto.base64_decode = skips_line_ends;
}

static void base64_adds_a_nul(void)
{
    odd_crypto.base64_encode = ends_with_nul;
}

/* --- waits and threads --------------------------------------------------------------------- */

static void without_times(const plat_net *n, const plat_poll *polls, size_t count, int timeout_ms)
{
    plat_poll copy[PLAT_WAIT_MAX];

    for (size_t i = 0; i < count; i++) {
        copy[i] = polls[i];
        copy[i].wake_at_ms = 0;
    }
    real->net->wait(n, copy, count, timeout_ms);
}

static void no_wait(const plat_net *n, const plat_poll *polls, size_t count, int timeout_ms)
{
    (void)timeout_ms;
    real->net->wait(n, polls, count, 0);
}

static void nothing(plat_thread *t)
{
    (void)t;
}

static size_t one_at_most(plat_thread *t)
{
    return real->threads->take_wakes(t) > 0 ? 1 : 0;
}

static void *same_memory(void)
{
    static uint64_t memory[PLAT_LOCAL_SIZE / 8];

    return memory;
}

static void wait_forgets_times(void)
{
    odd_net.wait = without_times;
}

static void wait_never_sleeps(void)
{
    odd_clock.wall_s = real->clock->wall_s;
    odd_net.wait = no_wait;
}

static void lock_excludes_nobody(void)
{
    odd_threads.lock = nothing;
    odd_threads.unlock = nothing;
}

static void wakes_are_lost(void)
{
    odd_threads.wake = nothing;
}

static void wakes_are_not_counted(void)
{
    odd_threads.take_wakes = one_at_most;
}

static void threads_share_their_memory(void)
{
    odd_threads.local = same_memory;
}

/* --- streams ------------------------------------------------------------------------------- */

static plat_result make_stream(const plat_net *n, plat_stream_storage *memory,
                               const plat_stream_config *config, plat_stream **out)
{
    const plat_stream_ops faults = odd_stream;
    plat_result r = real->net->stream(n, memory, config, out);

    if (r != PLAT_OK) {
        return r;
    }
    real_stream = (*out)->ops;
    odd_stream = *real_stream;
#define KEEP_FAULT(name) odd_stream.name = faults.name != NULL ? faults.name : odd_stream.name
    KEEP_FAULT(open);
    KEEP_FAULT(recv);
    KEEP_FAULT(send);
    KEEP_FAULT(poll);
    KEEP_FAULT(flow);
    KEEP_FAULT(detail);
    KEEP_FAULT(close);
    KEEP_FAULT(deinit);
    (*out)->ops = &odd_stream;
    return r;
}

static plat_result reports_an_error(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    plat_result r = real_stream->recv(s, buf, cap, got);

    return r == PLAT_WOULD_BLOCK ? PLAT_ERR_IO : r;
}

static plat_result ends_early(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    plat_result r = real_stream->recv(s, buf, cap, got);

    calls += r == PLAT_OK ? (unsigned)*got : 0;
    return r == PLAT_OK && calls > 4000 ? PLAT_EOF : r;
}

static plat_result ends_once(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    static bool ended;
    plat_result r = real_stream->recv(s, buf, cap, got);

    ended = r == PLAT_EOF && !ended;
    return r == PLAT_EOF && !ended ? PLAT_WOULD_BLOCK : r;
}

static plat_result end_for_reset(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    plat_result r = real_stream->recv(s, buf, cap, got);

    return r == PLAT_ERR_IO ? PLAT_EOF : r;
}

static plat_result counts_more(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    plat_result r = real_stream->recv(s, buf, cap > 1 ? cap - 1 : cap, got);

    if (r == PLAT_OK && cap > 1 && *got == cap - 1) {
        *got = cap;
        buf[cap - 1] = 0;
    }
    return r;
}

static plat_result waits_for_bytes(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    plat_result r;

    while ((r = real_stream->recv(s, buf, cap, got)) == PLAT_WOULD_BLOCK) {
        real->net->wait(real->net, NULL, 0, 1);
    }
    return r;
}

static plat_result takes_less(plat_stream *s, const uint8_t *buf, size_t len, size_t *sent)
{
    plat_result r = real_stream->send(s, buf, len > 1000 ? len - 1 : len, sent);

    if (r == PLAT_OK && len > 1000 && *sent == len - 1) {
        *sent = len;
    }
    return r;
}

static void reports_nothing(plat_stream *s, bool want_send, size_t least, plat_poll *out)
{
    real_stream->poll(s, want_send, least, out);
    *out = (plat_poll){ .fd = -1, .generation = out->generation };
}

static void one_generation(plat_stream *s, bool want_send, size_t least, plat_poll *out)
{
    real_stream->poll(s, want_send, least, out);
    out->generation = 1;
    out->fd = out->fd >= 0 ? 500 : -1; /* always the same number */
    out->ready_now = true;
}

static void decreases(plat_stream *s, plat_flow *out)
{
    real_stream->flow(s, out);
    out->received = 1000 - calls++;
}

static const char *no_text(const plat_stream *s)
{
    (void)s;
    return "";
}

static void keeps_the_descriptor(plat_stream *s, bool want_send, size_t least, plat_poll *out)
{
    static plat_poll last;

    real_stream->poll(s, want_send, least, out);
    if (out->fd < 0 && last.fd > 0) {
        *out = last;
    }
    last = *out;
}

static plat_result opens_twice(plat_stream *s, const char *host, uint16_t port, uint64_t now_ms)
{
    plat_result r = real_stream->open(s, host, port, now_ms);

    return r == PLAT_ERR_STATE ? PLAT_OK : r;
}

static bool closed_twice;

static void close_counts(plat_stream *s)
{
    plat_poll p;

    real_stream->poll(s, false, 1, &p);
    closed_twice = p.fd < 0;
    real_stream->close(s);
}

static const char *text_of_close(const plat_stream *s)
{
    return closed_twice ? "the stream is closed already" : real_stream->detail(s);
}

static void *leaks[64];

static void leaks_memory(plat_stream *s)
{
    real_stream->deinit(s);
    leaks[calls % 64] = leaks[calls % 64] == NULL ? malloc(100) : leaks[calls % 64];
    calls++;
}

static void would_block_is_an_error(void)
{
    odd_stream.recv = reports_an_error;
}

static void recv_ends_early(void)
{
    odd_stream.recv = ends_early;
}

static void recv_ends_once(void)
{
    odd_stream.recv = ends_once;
}

static void reset_is_an_end(void)
{
    odd_stream.recv = end_for_reset;
}

static void recv_counts_more(void)
{
    odd_stream.recv = counts_more;
}

static void recv_blocks(void)
{
    odd_stream.recv = waits_for_bytes;
}

static void send_counts_more(void)
{
    odd_stream.send = takes_less;
}

static void poll_reports_nothing(void)
{
    odd_stream.poll = reports_nothing;
}

static void generation_never_changes(void)
{
    odd_stream.poll = one_generation;
}

static void descriptor_stays(void)
{
    odd_stream.poll = keeps_the_descriptor;
}

static void flow_decreases(void)
{
    odd_stream.flow = decreases;
}

static void failures_have_no_text(void)
{
    odd_stream.detail = no_text;
}

static void open_is_not_guarded(void)
{
    odd_stream.open = opens_twice;
}

static void close_is_not_idempotent(void)
{
    odd_stream.close = close_counts;
    odd_stream.detail = text_of_close;
}

static void deinit_leaks(void)
{
    odd_stream.deinit = leaks_memory;
}

/* --- stores -------------------------------------------------------------------------------- */

static plat_result (*real_open_store)(void *user, plat_store **out);
static void (*real_lost)(void *user, plat_store *s);

static plat_result open_odd_store(void *user, plat_store **out)
{
    const plat_store_ops faults = odd_store;
    plat_result r = real_open_store(user, out);

    if (r != PLAT_OK) {
        return r;
    }
    real_store = (*out)->ops;
    odd_store = *real_store;
#define KEEP_STORE(name) odd_store.name = faults.name != NULL ? faults.name : odd_store.name
    KEEP_STORE(append);
    KEEP_STORE(read);
    KEEP_STORE(remove);
    KEEP_STORE(info);
    (*out)->ops = &odd_store;
    return r;
}

/* The second and the third record change places. */
static plat_result reads_in_another_order(plat_store *s, uint64_t seq, plat_store_record *out)
{
    plat_store_info info;

    real_store->info(s, &info);
    if (info.count > 4 && info.next_seq > 4 && seq == info.next_seq - 3) {
        plat_result r = real_store->read(s, seq + 1, out);
        out->seq = seq;
        return r;
    }
    return real_store->read(s, seq, out);
}

static plat_result cuts_bodies(plat_store *s, uint64_t seq, plat_store_record *out)
{
    plat_result r = real_store->read(s, seq, out);

    out->body_len -= r == PLAT_OK && out->body_len > 100 ? 1 : 0;
    return r;
}

/* Nothing is written until the store is closed, which a loss of power prevents. */
static plat_store_record late;
static uint8_t late_bytes[512];

static plat_result appends_late(plat_store *s, plat_store_record *r, uint64_t now_ms)
{
    plat_store_info info;

    real_store->info(s, &info);
    if (info.next_seq % 10 != 0) {
        return real_store->append(s, r, now_ms);
    }
    late = *r;
    memcpy(late_bytes, r->body, r->body_len);
    r->seq = info.next_seq; /* accepted, and forgotten */
    return PLAT_OK;
}

static plat_result removes_later(plat_store *s, uint64_t seq, uint64_t now_ms)
{
    (void)s;
    (void)seq;
    (void)now_ms;
    return PLAT_OK;
}

static void counts_one_more(const plat_store *s, plat_store_info *out)
{
    real_store->info(s, out);
    out->count++;
}

static void begins_again(const plat_store *s, plat_store_info *out)
{
    real_store->info(s, out);
    out->next_seq = out->count == 0 ? 1 : out->next_seq;
}

/* What was durable is gone after a loss of power: the last sector that was begun. */
static void loses_a_sector(void *user, plat_store *s)
{
    sim_flash *f = &fixture->flash.flash;
    const uint32_t at = f->base.sector_size;

    real_lost(user, s);
    for (uint32_t sector = f->base.sectors; sector-- > 0;) {
        if (f->bytes[sector * at] != 0xFF) {
            memset(f->bytes + sector * at, 0xFF, at);
            memset(f->units + sector * at / f->base.unit, 0, at / f->base.unit);
            return;
        }
    }
}

static void store_changes_the_order(void)
{
    odd_store.read = reads_in_another_order;
}

static void store_cuts_records(void)
{
    odd_store.read = cuts_bodies;
}

static void store_forgets_records(void)
{
    odd_store.append = appends_late;
}

static void store_does_not_remove(void)
{
    odd_store.remove = removes_later;
}

static void store_counts_wrong(void)
{
    odd_store.info = counts_one_more;
}

static void store_uses_numbers_again(void)
{
    odd_store.info = begins_again;
}

static void store_loses_what_is_durable(void)
{
    fixture->store.lost = loses_a_sector;
    fixture->store.cut_in = NULL;
}

/* --- named values -------------------------------------------------------------------------- */

static plat_result (*real_open_kv)(void *user, plat_kv **out);

static plat_result open_odd_kv(void *user, plat_kv **out)
{
    const plat_kv_ops faults = odd_kv;
    plat_result r = real_open_kv(user, out);

    if (r != PLAT_OK) {
        return r;
    }
    real_kv = (*out)->ops;
    odd_kv = *real_kv;
    odd_kv.get = faults.get != NULL ? faults.get : odd_kv.get;
    odd_kv.put = faults.put != NULL ? faults.put : odd_kv.put;
    (*out)->ops = &odd_kv;
    return r;
}

static plat_result puts_in_two_parts(plat_kv *kv, const char *key, const void *data, size_t len)
{
    plat_result r = real_kv->put(kv, key, data, len / 2);

    return r == PLAT_OK ? real_kv->put(kv, key, data, len) : r;
}

static plat_result gets_a_part(plat_kv *kv, const char *key, void *buf, size_t cap, size_t *len)
{
    plat_result r = real_kv->get(kv, key, buf, cap, len);

    return r == PLAT_ERR_NO_SPACE ? PLAT_OK : r;
}

static void put_is_not_atomic(void)
{
    odd_kv.put = puts_in_two_parts;
}

static void get_cuts_values(void)
{
    odd_kv.get = gets_a_part;
}

/* --- the table ----------------------------------------------------------------------------- */

enum parts { NOTHING_MORE = 0, STREAMS = 1, STORE = 2, KV = 4, THREADS = 8 };

static const struct fault {
    void (*put_in)(void);
    unsigned parts; /* that the run needs */
    const char *named;
} faults[] = {
    { clock_goes_back, 0, "plat_clock.monotonic_ms: it never goes back" },
    { clock_in_microseconds, 0, "plat_clock.monotonic_ms: it counts milliseconds" },
    { clock_in_seconds, 0, "plat_clock.monotonic_ms: it counts milliseconds" },
    { wall_clock_in_milliseconds, 0, "plat_clock.wall_s: it counts seconds" },
    { hmac_cuts_long_keys, 0, "plat_crypto.hmac_sha256: it hashes a key that is longer" },
    { sha1_in_wrong_order, 0, "plat_crypto.sha1: it computes" },
    { random_repeats, 0, "plat_crypto.random: each call makes other bytes" },
    { random_is_a_counter, 0, "plat_crypto.random: its bytes are random" },
    { base64_is_not_strict, 0, "plat_crypto.base64_decode: white space is refused" },
    { base64_adds_a_nul, 0, "plat_crypto.base64_encode: it encodes the examples" },
    { wait_forgets_times, 0, "plat_net.wait: it ends at the wake_at_ms" },
    { wait_never_sleeps, 0, "plat_net.wait: it sleeps until the time is up" },
    { lock_excludes_nobody, THREADS, "plat_threads.lock: it waits while another thread" },
    { wakes_are_lost, THREADS, "plat_threads.wake: if nobody waits, the next wait ends" },
    { wakes_are_not_counted, THREADS, "plat_threads.take_wakes: it counts each wake" },
    { threads_share_their_memory, THREADS, "plat_threads.local: its address differs" },
    { would_block_is_an_error, STREAMS, "plat_stream.recv: without available bytes" },
    { recv_ends_early, STREAMS,
      "plat_stream.recv: it returns all bytes before it reports the end" },
    { recv_ends_once, STREAMS, "plat_stream.recv: after the end each call" },
    { reset_is_an_end, STREAMS, "plat_stream.recv: a reset connection is a failure" },
    { recv_counts_more, STREAMS, "plat_stream.recv: it returns the bytes that the peer has sent" },
    { recv_blocks, STREAMS, "plat_stream: open, progress, recv and send never block" },
    { send_counts_more, STREAMS, "plat_stream.send: the peer receives what *sent counts" },
    { poll_reports_nothing, STREAMS, "plat_stream.poll: after PLAT_WOULD_BLOCK it reports" },
    { generation_never_changes, STREAMS, "plat_stream.poll: generation changes" },
    { descriptor_stays, STREAMS, "plat_stream.poll: after close it no longer reports" },
    { flow_decreases, STREAMS, "plat_stream.flow: its counts never decrease" },
    { failures_have_no_text, STREAMS, "plat_stream.detail: after a failure it is one line" },
    { open_is_not_guarded, STREAMS, "plat_stream.open: a stream that is not closed" },
    { close_is_not_idempotent, STREAMS, "plat_stream.close: it may be called twice" },
    { deinit_leaks, STREAMS, "plat_stream.deinit: it gives back everything" },
    { store_changes_the_order, STORE, "plat_store.read: records are in the order" },
    { store_cuts_records, STORE, "plat_store.read: each record is as it was appended" },
    { store_forgets_records, STORE, "plat_store.read: it returns all records" },
    { store_does_not_remove, STORE, "plat_store.read: it takes removals into account" },
    { store_counts_wrong, STORE, "plat_store.info: count and bytes" },
    { store_uses_numbers_again, STORE, "plat_store.info: next_seq is above every number" },
    { store_loses_what_is_durable, STORE, "plat_store.read: what was synced is there" },
    { put_is_not_atomic, KV, "plat_kv.put: after a loss of power the value is the old one" },
    { get_cuts_values, KV, "plat_kv.get: too little room is PLAT_ERR_NO_SPACE" },
};
enum { FAULTS = sizeof faults / sizeof faults[0], WORKERS = 5 };

/* A copy of the real port, with the parts that a run needs. */
static void begin(struct conformance_fixture *f, unsigned parts)
{
    conformance_begin(f);
    fixture = f;
    real = plat_posix();
    calls = 0;
    odd_clock = *real->clock;
    odd_clock.wall_s = no_wall;
    odd_crypto = *real->crypto;
    odd_net = *real->net;
    odd_net.stream = make_stream;
    odd_threads = *real->threads;
    odd_stream = (plat_stream_ops){ .open = NULL };
    odd_store = (plat_store_ops){ .append = NULL };
    odd_kv = (plat_kv_ops){ .get = NULL };
    f->platform.clock = &odd_clock;
    f->platform.crypto = &odd_crypto;
    f->platform.net = &odd_net;
    f->platform.threads = (parts & THREADS) != 0 ? &odd_threads : NULL;
    real_open_store = f->store.open;
    real_lost = f->store.lost;
    f->store.open = open_odd_store;
    f->store.fill = false;
    real_open_kv = f->kv.open;
    f->kv.open = open_odd_kv;
    f->conformance.peer = (parts & STREAMS) != 0 ? &f->peer : NULL;
    f->conformance.store = (parts & STORE) != 0 ? &f->store : NULL;
    f->conformance.kv = (parts & KV) != 0 ? &f->kv : NULL;
}

static void without_a_fault_nothing_is_named(void **state)
{
    struct conformance_fixture *f = *state;
    begin(f, THREADS | STREAMS | STORE | KV);

    if (plat_conformance_run(&f->conformance) != 0) {
        fail_msg("%s", f->text);
    }
}

/* Tries every WORKERS-th fault. Returns how many of them are not named. */
static int try_faults(struct conformance_fixture *f, size_t from)
{
    char line[200];
    int missed = 0;

    for (size_t i = from; i < FAULTS; i += WORKERS) {
        begin(f, faults[i].parts);
        faults[i].put_in();
        const unsigned broken = plat_conformance_run(&f->conformance);
        snprintf(line, sizeof line, "BROKEN %s", faults[i].named);
        if (broken == 0 || strstr(f->text, line) == NULL) {
            print_error("fault %u: no line \"%s\" in:\n%s", (unsigned)i, line, f->text);
            missed++;
        }
    }
    return missed;
}

/* Most of the time is spent waiting, so several processes share the faults. */
static void each_fault_is_named(void **state)
{
    struct conformance_fixture *f = *state;
    pid_t workers[WORKERS];

    for (size_t k = 0; k < WORKERS; k++) {
        workers[k] = fork();
        assert_true(workers[k] >= 0);
        if (workers[k] == 0) {
            conformance_own_directory(f);
            const int missed = try_faults(f, k);
            conformance_remove_directory(f);
            _exit(missed);
        }
    }
    for (size_t k = 0; k < WORKERS; k++) {
        int status;
        assert_int_equal(waitpid(workers[k], &status, 0), workers[k]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    print_message("%u faults are named\n", (unsigned)FAULTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_nothing_is_named),
        cmocka_unit_test(each_fault_is_named),
    };
    return cmocka_run_group_tests(tests, conformance_setup, conformance_teardown);
}
