/* The device of a soak. It uses telemetry, twin, methods and C2D at the same time while the
 * network and the hub fail. It checks the client's promises: each accepted request ends exactly
 * once, the statistics add up, and after every 100 connections the heap and the number of
 * descriptors are the same as before. It prints JSON objects, one per line, which soak.py
 * compares with the hub's side.
 *
 * usage: soak_device PORT RATE SEED FIRST STORE
 *        (IOTHUB_DEVICE_CONNECTION_STRING, IOTHUB_CA_FILE)
 *
 * It sends RATE messages a second, numbered from FIRST, and stores them in the file STORE, so
 * that none is lost if it is killed. On SIGTERM it finishes what is open and exits. */

#include "soak_device.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>
#include <platform/sqlite_store.h>
#include <sqlite3.h>

#include "ledger.h"

enum {
    LATER_MAX = 8, /* most methods to answer later, and most messages to accept later */
    BODY_MAX = 16 * 1024,
    CONNECTS_PER_LEVEL = 100,
    /* The heap of a TLS connection after a full handshake may differ by this much from one after
     * a resumed handshake. */
    HEAP_SLACK = 64 * 1024,
    SQLITE_MAX = 1024 * 1024,
    SETTLE_MS = 120000
};

typedef struct later {
    int64_t due_ms; /* 0: free */
    union {
        iothub_method_token call;
        uint32_t delivery;
    } what;
    char payload[64];
} later;

typedef enum phase {
    PHASE_WORK = 0,
    PHASE_SETTLE, /* no new requests until the heap was measured */
    PHASE_FINISH
} phase;

typedef struct device {
    iothub_client *client;
    phase phase;
    uint32_t random;
    unsigned rate;
    uint64_t number; /* number of the next message */
    uint64_t announced;
    int64_t began_ms;
    int64_t sent_ms; /* all messages due by this time were sent */
    uint64_t reports;
    ledger ledger;
    later methods[LATER_MAX];
    later messages[LATER_MAX];
    cJSON *desired;
    uint64_t desired_version;
    uint64_t levels;
    uint64_t next_level; /* number of connects after which the memory is measured next */
    int64_t settle_by_ms;
    size_t heap; /* bytes on the heap at the first measurement */
    int descriptors;
    uint64_t renewals;
} device;

static volatile sig_atomic_t told_to_end;
static char filler[BODY_MAX];

static void on_sigterm(int number)
{
    (void)number;
    told_to_end = 1;
}

void soak_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fputs("soak_device: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint32_t roll(device *d, uint32_t sides)
{
    d->random = d->random * 1664525u + 1013904223u;
    return (d->random >> 8) % sides;
}

/* --- requests ------------------------------------------------------------------ */

/* The only failure that is allowed is a refusal because the queue is full. */
static bool accepted(device *d, iothub_op_kind kind, iothub_result r)
{
    if (r == IOTHUB_OK) {
        ledger_open(&d->ledger, kind);
    } else if (r != IOTHUB_ERR_NO_SPACE) {
        soak_fail("refused: %s", iothub_last_error(d->client)->text);
    }
    return r == IOTHUB_OK;
}

static size_t body_size(device *d)
{
    return roll(d, 50) == 0 ? roll(d, BODY_MAX) : roll(d, 300);
}

static bool send_one(device *d)
{
    char body[BODY_MAX + 64];
    int len = snprintf(body, sizeof body, "{\"number\":%llu,\"filler\":\"%.*s\"}",
                       (unsigned long long)d->number, (int)body_size(d), filler);
    const iothub_telemetry t = {
        .body = body,
        .body_len = (size_t)len,
        .content_type = "application/json",
        .content_encoding = "utf-8",
        .tag = ledger_next(&d->ledger),
    };
    return accepted(d, IOTHUB_OP_TELEMETRY, iothub_send_telemetry(d->client, &t, NULL));
}

/* Sends the messages that are due since the last call. If the queue refuses one, the rest is
 * skipped. */
static void send_due(device *d, int64_t now)
{
    int64_t due = (now - d->sent_ms) * d->rate / 1000;

    if (due <= 0) {
        return;
    }
    for (int64_t n = 0; n < due && send_one(d); n++) {
        d->number++;
    }
    d->sent_ms = now;
    if (d->number > d->announced) {
        d->announced = d->number;
        printf("{\"accepted\":%llu}\n", (unsigned long long)d->number - 1);
    }
}

static void report(device *d)
{
    char json[64];
    int len = snprintf(json, sizeof json, "{\"number\":%llu}", (unsigned long long)d->reports + 1);
    void *tag = ledger_next(&d->ledger);

    if (accepted(d, IOTHUB_OP_TWIN_REPORT,
                 iothub_twin_report(d->client, json, (size_t)len, tag, NULL))) {
        d->reports++;
    }
}

static void get_twin(device *d)
{
    void *tag = ledger_next(&d->ledger);
    (void)accepted(d, IOTHUB_OP_TWIN_GET, iothub_twin_get(d->client, tag, NULL));
}

/* Answers a method with its own payload. After a lost connection no answer is needed. */
static void answer(device *d, const iothub_method_token *token, const char *json, size_t len)
{
    void *tag = ledger_next(&d->ledger);
    iothub_result r = iothub_method_respond(d->client, token, 200, json, len, tag, NULL);

    if (r != IOTHUB_ERR_EXPIRED) {
        (void)accepted(d, IOTHUB_OP_METHOD_RESPONSE, r);
    }
}

static later *free_slot(later *slots)
{
    for (int i = 0; i < LATER_MAX; i++) {
        if (slots[i].due_ms == 0) {
            return &slots[i];
        }
    }
    return NULL;
}

static void do_later(device *d, int64_t now)
{
    for (int i = 0; i < LATER_MAX; i++) {
        later *method = &d->methods[i];
        later *message = &d->messages[i];
        if (method->due_ms != 0 && now >= method->due_ms) {
            method->due_ms = 0;
            answer(d, &method->what.call, method->payload, strlen(method->payload));
        }
        if (message->due_ms != 0 && now >= message->due_ms) {
            message->due_ms = 0;
            iothub_result r = iothub_message_accept(d->client, message->what.delivery);
            if (r == IOTHUB_OK) {
                printf("{\"c2d\":\"%s\"}\n", message->payload);
            } else if (r != IOTHUB_ERR_EXPIRED) {
                soak_fail("not accepted: %s", iothub_last_error(d->client)->text);
            }
        }
    }
}

static bool nothing_later(const device *d)
{
    for (int i = 0; i < LATER_MAX; i++) {
        if (d->methods[i].due_ms != 0 || d->messages[i].due_ms != 0) {
            return false;
        }
    }
    return true;
}

/* --- callbacks ------------------------------------------------------------------ */

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    (void)user;
    fprintf(stderr, "%s: %s\n", iothub_state_str(s->state), s->text);
}

/* Telemetry has no time to live, so it can end only with success. */
static void on_done(iothub_client *c, const iothub_done *done, void *user)
{
    device *d = user;

    (void)c;
    ledger_close(&d->ledger, done);
    if (done->kind == IOTHUB_OP_TELEMETRY && done->result != IOTHUB_OK) {
        soak_fail("telemetry: %s", iothub_result_str(done->result));
    }
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    device *d = user;
    later *slot = roll(d, 2) == 0 ? free_slot(d->messages) : NULL;
    char id[64];

    (void)c;
    if (iothub_message_property(m, IOTHUB_MESSAGE_ID, id, sizeof id, NULL) != IOTHUB_OK) {
        soak_fail("a message without its id");
    }
    printf("{\"arrived\":\"%s\"}\n", id);
    if (slot == NULL) {
        printf("{\"c2d\":\"%s\"}\n", id);
        return IOTHUB_ACCEPT;
    }
    slot->due_ms = now_ms() + 1 + roll(d, 300);
    slot->what.delivery = iothub_message_delivery(m);
    memcpy(slot->payload, id, sizeof id);
    return IOTHUB_DEFER;
}

/* Applies a JSON merge patch (RFC 7396) to objects without nested objects. */
static void merge(cJSON *into, const cJSON *patch)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, patch)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(into, member->string);
        if (!cJSON_IsNull(member)) {
            (void)cJSON_AddItemToObject(into, member->string, cJSON_Duplicate(member, true));
        }
    }
}

static void on_desired(iothub_client *c, const iothub_desired *news, void *user)
{
    device *d = user;
    cJSON *json = cJSON_ParseWithLength((const char *)news->json.ptr, news->json.len);

    (void)c;
    if (!cJSON_IsObject(json)) {
        soak_fail("desired properties that are no object");
    }
    if (!news->complete && news->version != d->desired_version + 1) {
        soak_fail("desired version %llu after %llu", (unsigned long long)news->version,
                  (unsigned long long)d->desired_version);
    }
    if (news->complete) {
        cJSON_Delete(d->desired);
        d->desired = json;
    } else {
        merge(d->desired, json);
        cJSON_Delete(json);
    }
    d->desired_version = news->version;
    printf("{\"desired\":%llu}\n", (unsigned long long)news->version);
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    device *d = user;
    later *slot = roll(d, 2) == 0 ? free_slot(d->methods) : NULL;

    (void)c;
    if (slot == NULL || call->payload.len >= sizeof slot->payload) {
        answer(d, &call->token, (const char *)call->payload.ptr, call->payload.len);
        return IOTHUB_METHOD_TAKEN;
    }
    slot->due_ms = now_ms() + 1 + roll(d, 300);
    slot->what.call = call->token;
    memcpy(slot->payload, call->payload.ptr, call->payload.len);
    slot->payload[call->payload.len] = '\0';
    return IOTHUB_METHOD_TAKEN;
}

/* --- what must hold ---------------------------------------------------------------- */

/* Exists only with a sanitizer, which replaces the heap. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t heap_in_use(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL) {
        return __sanitizer_get_current_allocated_bytes();
    }
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static int open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -3; /* does not count ".", ".." and the descriptor of the folder itself */

    if (folder == NULL) {
        soak_fail("no /proc/self/fd");
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* Returns whether the heap and the descriptors are back at the first measurement. If they are
 * not, a renewal may have a second connection open. The memory of SQLite is counted separately,
 * because it depends on how long the backlog once was. */
static bool level_reached(device *d, int64_t now)
{
    size_t sqlite = (size_t)sqlite3_memory_used();
    size_t heap = heap_in_use() - sqlite;
    int descriptors = open_descriptors();

    if (d->levels == 0) {
        d->heap = heap;
        d->descriptors = descriptors;
    }
    if (sqlite > SQLITE_MAX) {
        soak_fail("SQLite holds %zu bytes", sqlite);
    }
    bool reached = heap <= d->heap + HEAP_SLACK && descriptors <= d->descriptors;
    if (!reached && now > d->settle_by_ms) {
        soak_fail("the heap went from %zu to %zu bytes, descriptors from %d to %d", d->heap, heap,
                  d->descriptors, descriptors);
    }
    if (reached) {
        d->levels++;
        /* The latest value, because a renewal may have been in progress at the first
         * measurement. */
        d->descriptors = descriptors;
        printf("{\"heap\":%zu,\"sqlite\":%zu,\"descriptors\":%d}\n", heap, sqlite, descriptors);
    }
    return reached;
}

static void check_stats(const iothub_stats *s)
{
    uint64_t begun = s->telemetry_accepted + s->telemetry_found;

    /* True because no message expires or is dropped in this test. */
    if (begun != s->telemetry_acknowledged + s->queued) {
        soak_fail("statistics: %llu begun, %llu acknowledged, %llu queued",
                  (unsigned long long)begun, (unsigned long long)s->telemetry_acknowledged,
                  (unsigned long long)s->queued);
    }
    if (s->store_errors > 0) {
        soak_fail("the store failed");
    }
    if (s->c2d_accepted > s->c2d_received || s->methods_answered > s->methods_received) {
        soak_fail("statistics: more answers than questions");
    }
    if (s->losses > s->connects) {
        soak_fail("statistics: more losses than connects");
    }
}

/* --- the life of it ------------------------------------------------------------------ */

static void work(device *d, int64_t now)
{
    if (d->phase == PHASE_WORK) {
        send_due(d, now);
        if (roll(d, 10) == 0) {
            report(d);
        }
        if (roll(d, 50) == 0) {
            get_twin(d);
        }
    }
    do_later(d, now);
}

static bool at_rest(const device *d, const iothub_stats *s)
{
    return d->ledger.open == 0 && s->queued == 0 && nothing_later(d) &&
           iothub_get_state(d->client) == IOTHUB_CONNECTED;
}

static void change_phase(device *d, const iothub_stats *s, int64_t now)
{
    if (told_to_end != 0 && d->phase != PHASE_FINISH) {
        d->phase = PHASE_FINISH;
        d->settle_by_ms = now + SETTLE_MS;
    } else if (d->phase == PHASE_WORK && s->connects >= d->next_level) {
        d->phase = PHASE_SETTLE;
        d->settle_by_ms = now + SETTLE_MS;
    }
}

static bool settled(device *d, const iothub_stats *s, int64_t now)
{
    if (at_rest(d, s)) {
        return level_reached(d, now);
    }
    if (d->phase == PHASE_FINISH && now > d->settle_by_ms) {
        soak_fail("%u requests do not end", d->ledger.open);
    }
    return false;
}

static void live(device *d)
{
    iothub_stats s;

    for (;;) {
        (void)iothub_wait(d->client, 10);
        int64_t now = now_ms();
        work(d, now);
        iothub_get_stats(d->client, &s);
        check_stats(&s);
        change_phase(d, &s, now);
        (void)fflush(stdout);
        if (d->phase == PHASE_WORK || !settled(d, &s, now)) {
            continue;
        }
        if (d->phase == PHASE_FINISH) {
            return;
        }
        d->next_level = s.connects + CONNECTS_PER_LEVEL;
        d->phase = PHASE_WORK;
        d->sent_ms = now;
    }
}

static void print_summary(const device *d)
{
    char *desired = cJSON_PrintUnformatted(d->desired);
    iothub_stats s;

    iothub_get_stats(d->client, &s);
    printf("{\"accepted\":%llu,\"connects\":%llu,\"losses\":%llu,\"failed\":%llu,"
           "\"renewals\":%llu,\"requests\":%u,\"reports\":%llu,\"methods\":%llu,\"c2d\":%llu,"
           "\"levels\":%llu,\"gaps\":%llu,\"ignored\":%llu,\"desired\":%llu,\"document\":%s}\n",
           (unsigned long long)d->number - 1, (unsigned long long)s.connects,
           (unsigned long long)s.losses, (unsigned long long)s.failed_attempts,
           (unsigned long long)s.token_renewals, d->ledger.last, (unsigned long long)d->reports,
           (unsigned long long)s.methods_answered, (unsigned long long)s.c2d_accepted,
           (unsigned long long)d->levels, (unsigned long long)s.desired_gaps,
           (unsigned long long)s.ignored, (unsigned long long)d->desired_version,
           desired != NULL ? desired : "null");
    cJSON_free(desired);
}

static void set_options(iothub_options *o, const char *port, device *d)
{
    iothub_options_init(o);
    o->platform = plat_posix();
    o->port = (uint16_t)strtoul(port, NULL, 10);
    o->ca_file = getenv("IOTHUB_CA_FILE");
    o->keep_alive_s = 1;
    o->sas_lifetime_s = 4;
    o->retry_min_ms = 20;
    o->retry_max_ms = 200;
    o->auth_retry_min_ms = 200;
    o->auth_retry_max_ms = 1000;
    o->resolve_timeout_ms = o->connect_timeout_ms = o->tls_timeout_ms = 5000;
    o->login_timeout_ms = o->subscribe_timeout_ms = 5000;
    o->callbacks.status = on_status;
    o->callbacks.done = on_done;
    o->callbacks.c2d = on_c2d;
    o->callbacks.desired = on_desired;
    o->callbacks.method = on_method;
    o->user = d;
}

int main(int argc, char **argv)
{
    static device d; /* static, because the ledger is large */
    const struct sigaction end = { .sa_handler = on_sigterm };
    iothub_options o;
    iothub_error error;
    char detail[PLAT_STORE_DETAIL_SIZE];

    if (argc != 6) {
        fprintf(stderr, "usage: soak_device PORT RATE SEED FIRST STORE\n");
        return 2;
    }
    (void)sigaction(SIGTERM, &end, NULL);
    memset(filler, 'x', sizeof filler);
    d.rate = (unsigned)strtoul(argv[2], NULL, 10);
    d.random = (uint32_t)strtoul(argv[3], NULL, 10);
    d.number = strtoull(argv[4], NULL, 10);
    d.next_level = 20; /* after 20 connections every table has its final size */
    d.sent_ms = now_ms();
    set_options(&o, argv[1], &d);
    const plat_sqlite_options file = { .path = argv[5], .owner = "soak", .sync_delay_ms = 50 };
    if (plat_sqlite_store_open(&file, &o.store, detail) != PLAT_OK) {
        soak_fail("%s", detail);
    }
    d.client = iothub_new(getenv("IOTHUB_DEVICE_CONNECTION_STRING"), &o, &error);
    if (d.client == NULL) {
        soak_fail("%s", error.text);
    }
    (void)iothub_start(d.client);
    live(&d);
    print_summary(&d);
    iothub_free(d.client);
    (void)o.store->ops->close(o.store);
    cJSON_Delete(d.desired);
    return 0;
}
