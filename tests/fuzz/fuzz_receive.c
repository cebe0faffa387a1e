/* Tests the receiving side of the engine with arbitrary bytes of a server. The events and the
 * end must not depend on how the bytes are split. */

#include "fuzz.h"
#include "mqtt_core/engine_struct.h"

/* A hash of all events and results of the engine. */
typedef struct record {
    uint64_t hash;
    unsigned events;
    mqc_state state;
    mqc_result error;
    const char *packet;
} record;

typedef struct setting {
    size_t rx_len;
    size_t inbound_len;
    bool connected; /* if false, the engine still waits for CONNACK */
} setting;

typedef struct world {
    mqc_engine engine;
    mqc_memory memory;
    uint8_t control[256];
    uint8_t ring[256];
    mqc_entry entries[4];
    record record;
} world;

static void note(record *r, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        r->hash = (r->hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    }
    r->hash = (r->hash ^ len) * UINT64_C(1099511628211);
}

static void note_number(record *r, uint64_t n)
{
    note(r, &n, sizeof n);
}

static void note_message(record *r, const mqc_message *m)
{
    FUZZ_CHECK(m->qos <= 2 && (m->packet_id != 0) == (m->qos > 0));
    FUZZ_CHECK(m->payload.len == 0 || m->payload.len == m->payload_len);
    note(r, m->topic.ptr, m->topic.len);
    note(r, m->payload.ptr, m->payload.len);
    note_number(r, m->payload_len);
    note_number(r, m->packet_id);
    note_number(r, (uint64_t)m->retain << 1 | m->dup);
}

static void note_event(record *r, const mqc_event *ev)
{
    r->events++;
    note_number(r, ev->type);
    switch (ev->type) {
    case MQC_EVENT_CONNECTED:
    case MQC_EVENT_REFUSED: note_number(r, ev->u.connack.return_code); break;
    case MQC_EVENT_PUBLISH:
    case MQC_EVENT_OVERSIZE: note_message(r, &ev->u.publish); break;
    case MQC_EVENT_DONE: note_number(r, ev->u.done.id); break;
    case MQC_EVENT_SUBSCRIBED:
        note(r, ev->u.suback.return_codes.ptr, ev->u.suback.return_codes.len);
        break;
    case MQC_EVENT_UNSUBSCRIBED: note_number(r, ev->u.packet_id); break;
    }
}

static void drain(world *w)
{
    size_t len;

    while (mqc_tx_data(&w->engine, &len), len > 0) {
        mqc_tx_consume(&w->engine, len, 1000);
    }
}

static void pull(world *w)
{
    mqc_event ev;
    bool more = true;

    while (more) { /* if the control area is full, events wait until it was sent */
        more = false;
        while (mqc_next_event(&w->engine, &ev)) {
            more = true;
            note_event(&w->record, &ev);
            bool message = ev.type == MQC_EVENT_PUBLISH || ev.type == MQC_EVENT_OVERSIZE;
            if (message && ev.u.publish.qos > 0) {
                FUZZ_CHECK(mqc_ack(&w->engine, ev.u.publish.packet_id) == MQC_OK);
            }
        }
        drain(w);
    }
}

static void begin(world *w, const setting *s)
{
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c") };
    const mqc_subscription subscription = { MQC_SPAN_LIT("#"), 1 };
    const mqc_span filter = MQC_SPAN_LIT("#");

    memset(w, 0, sizeof *w);
    w->memory = (mqc_memory){
        /* An allocation of its own, so that the sanitizer detects overruns. */
        .rx = malloc(s->rx_len),
        .rx_len = s->rx_len,
        .control = w->control,
        .control_len = sizeof w->control,
        .inbound = calloc(s->inbound_len, sizeof(mqc_inbound)),
        .inbound_len = s->inbound_len,
        .lanes = { { .ring = w->ring,
                     .ring_len = sizeof w->ring,
                     .entries = w->entries,
                     .entries_len = 4,
                     .window = 4 } },
        .lane_count = 1,
    };
    FUZZ_CHECK(mqc_init(&w->engine, &w->memory) == MQC_OK);
    FUZZ_CHECK(mqc_connect(&w->engine, &o, 1000) == MQC_OK);
    drain(w);
    if (!s->connected) {
        return;
    }
    size_t len;
    memcpy(mqc_rx_space(&w->engine, &len), "\x20\x02\x00\x00", 4);
    FUZZ_CHECK(mqc_rx_commit(&w->engine, 4, 1000) == MQC_OK);
    pull(w);
    for (uint32_t i = 0; i < 3; i++) { /* packet ids 1 to 3; 4 and 5 follow below */
        const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"), .qos = 1, .id = i };
        FUZZ_CHECK(mqc_publish(&w->engine, &m, NULL) == MQC_OK);
    }
    FUZZ_CHECK(mqc_subscribe(&w->engine, &subscription, 1, NULL) == MQC_OK);
    FUZZ_CHECK(mqc_unsubscribe(&w->engine, &filter, 1, NULL) == MQC_OK);
    drain(w);
}

static void end(world *w)
{
    w->record.state = mqc_get_state(&w->engine);
    w->record.error = mqc_error(&w->engine);
    w->record.packet = mqc_error_packet(&w->engine);
    FUZZ_CHECK((w->record.state == MQC_FAILED) == (w->record.error != MQC_OK));
    free(w->memory.rx);
    free(w->memory.inbound);
}

/* Feeds the bytes in pieces: their sizes come from `cuts`, then from `piece`; if that is 0, as
 * many as fit. */
static record receive(const setting *s, mqc_span bytes, fuzz_input cuts, size_t piece)
{
    world w;

    begin(&w, s);
    while (bytes.len > 0) {
        size_t cap;
        uint8_t *space = mqc_rx_space(&w.engine, &cap);
        if (mqc_error(&w.engine) != MQC_OK) {
            break;
        }
        FUZZ_CHECK(space != NULL && cap > 0); /* all events were taken, so there must be room */
        size_t n = cuts.len > 0 ? 1u + fuzz_byte(&cuts) % 32u : piece > 0 ? piece : cap;
        n = n < cap ? n : cap;
        n = n < bytes.len ? n : bytes.len;
        memcpy(space, bytes.ptr, n);
        FUZZ_CHECK(mqc_rx_commit(&w.engine, n, 1000) == MQC_OK);
        bytes = mqc_span_of(bytes.ptr + n, bytes.len - n);
        pull(&w);
    }
    end(&w);
    return w.record;
}

static void same(const record *a, const record *b)
{
    FUZZ_CHECK(a->events == b->events);
    FUZZ_CHECK(a->hash == b->hash);
    FUZZ_CHECK(a->state == b->state);
    /* When an unexpected header is refused, it may not be known yet whether it is also
     * malformed. */
    FUZZ_CHECK(mqc_is_fatal(a->error) == mqc_is_fatal(b->error));
    FUZZ_CHECK(strcmp(a->packet, b->packet) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    const setting s = { .rx_len = 16 + fuzz_byte(&in) % 128u,
                        .inbound_len = 1 + fuzz_byte(&in) % 4u,
                        .connected = fuzz_byte(&in) % 2 == 0 };
    const mqc_span bytes = mqc_span_of(in.ptr, in.len);
    const fuzz_input none = { 0 };

    record whole = receive(&s, bytes, none, 0);
    record single = receive(&s, bytes, none, 1);
    record odd = receive(&s, bytes, (fuzz_input){ data, size }, 7);
    same(&whole, &single);
    same(&whole, &odd);
    return 0;
}
