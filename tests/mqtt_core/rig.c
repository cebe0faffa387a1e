#include "rig.h"

#include "packet.h"

static size_t or_default(size_t v, size_t fallback)
{
    return v != 0 ? v : fallback;
}

void rig_init(rig *r, const rig_sizes *sizes)
{
    static const rig_sizes none = { 0 };
    const rig_sizes *s = sizes != NULL ? sizes : &none;
    mqc_memory *m = &r->memory;

    memset(r, 0, sizeof *r);
    r->now = 1000;
    m->rx_len = or_default(s->rx, 4096);
    m->control_len = or_default(s->control, 512);
    m->inbound_len = or_default(s->inbound, 16);
    m->rx = malloc(m->rx_len);
    m->control = malloc(m->control_len);
    m->inbound = malloc(m->inbound_len * sizeof *m->inbound);
    for (size_t i = 0; i < MQC_LANES_MAX; i++) {
        mqc_lane_memory *l = &m->lanes[i];
        if (i > 0 && s->lanes[i].ring_len == 0) {
            break;
        }
        l->ring_len = or_default(s->lanes[i].ring_len, 8192);
        l->entries_len = or_default(s->lanes[i].entries_len, 64);
        l->window = s->lanes[i].window;
        l->ring = malloc(l->ring_len);
        l->entries = malloc(l->entries_len * sizeof *l->entries);
        m->lane_count++;
    }
    assert_int_equal(mqc_init(&r->e, m), MQC_OK);
}

void rig_deinit(rig *r)
{
    free(r->memory.rx);
    free(r->memory.control);
    free(r->memory.inbound);
    for (size_t i = 0; i < r->memory.lane_count; i++) {
        free(r->memory.lanes[i].ring);
        free(r->memory.lanes[i].entries);
    }
}

void rig_gather(rig *r)
{
    r->now += 2;
    assert_int_equal(mqc_tick(&r->e, r->now), MQC_OK);
}

void rig_forget(rig *r)
{
    r->sent_len = 0;
    r->runs = 0;
    r->log_len = 0;
    r->log[0] = '\0';
    r->events = 0;
}

void rig_connect_with(rig *r, const mqc_connect_options *o, bool session_present)
{
    assert_int_equal(mqc_connect(&r->e, o, r->now), MQC_OK);
    rig_send_all(r);
    assert_int_equal(RIG_FEED(r, 0x20, 2, session_present, 0), MQC_OK);
    assert_int_equal(mqc_get_state(&r->e), MQC_CONNECTED);
    rig_forget(r);
}

void rig_connect(rig *r, bool clean_session, bool session_present)
{
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"),
                                    .clean_session = clean_session };
    rig_connect_with(r, &o, session_present);
}

/* --- events ------------------------------------------------------------------ */

static void log_line(rig *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(r->log + r->log_len, sizeof r->log - r->log_len, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof r->log - r->log_len);
    r->log_len += (size_t)n;
}

static void log_span(rig *r, mqc_span s)
{
    log_line(r, " ");
    for (size_t i = 0; i < s.len; i++) {
        bool plain = s.ptr[i] > ' ' && s.ptr[i] < 0x7F && s.ptr[i] != '\\';
        log_line(r, plain ? "%c" : "\\%02x", s.ptr[i]);
    }
}

static void log_message(rig *r, const char *name, const mqc_message *m)
{
    log_line(r, "%s d%d q%d r%d id%u", name, m->dup, m->qos, m->retain, m->packet_id);
    log_span(r, m->topic);
    log_line(r, " %zu", m->payload_len);
    log_span(r, m->payload);
}

static const char *outcome_name(mqc_outcome o)
{
    switch (o) {
    case MQC_OUTCOME_SENT: return "sent";
    case MQC_OUTCOME_ACKED: return "acked";
    case MQC_OUTCOME_EXPIRED: return "expired";
    case MQC_OUTCOME_DISCARDED: return "discarded";
    case MQC_OUTCOME_RELEASED: return "released";
    case MQC_OUTCOME_DROPPED: return "dropped";
    }
    return "?";
}

static void log_event(rig *r, const mqc_event *ev)
{
    switch (ev->type) {
    case MQC_EVENT_CONNECTED:
        log_line(r, "CONNECTED %d %d", ev->u.connack.return_code, ev->u.connack.session_present);
        break;
    case MQC_EVENT_REFUSED:
        log_line(r, "REFUSED %d %d", ev->u.connack.return_code, ev->u.connack.session_present);
        break;
    case MQC_EVENT_PUBLISH: log_message(r, "PUBLISH", &ev->u.publish); break;
    case MQC_EVENT_OVERSIZE: log_message(r, "OVERSIZE", &ev->u.publish); break;
    case MQC_EVENT_DONE:
        log_line(r, "DONE %s lane%d id%u", outcome_name(ev->u.done.outcome), ev->u.done.lane,
                 ev->u.done.id);
        break;
    case MQC_EVENT_SUBSCRIBED:
        log_line(r, "SUBSCRIBED %u", ev->u.suback.packet_id);
        log_span(r, ev->u.suback.return_codes);
        break;
    case MQC_EVENT_UNSUBSCRIBED: log_line(r, "UNSUBSCRIBED %u", ev->u.packet_id); break;
    }
    log_line(r, "\n");
}

void rig_pull(rig *r)
{
    mqc_event ev;

    memset(&ev, 0xA5, sizeof ev);
    while (mqc_next_event(&r->e, &ev)) {
        log_event(r, &ev);
        r->events++;
        r->last = ev;
        bool message = ev.type == MQC_EVENT_PUBLISH || ev.type == MQC_EVENT_OVERSIZE;
        if (r->ack_at_once && message && ev.u.publish.qos > 0) {
            assert_int_equal(mqc_ack(&r->e, ev.u.publish.packet_id), MQC_OK);
        }
    }
}

/* --- bytes ------------------------------------------------------------------ */

mqc_result rig_feed(rig *r, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    while (len > 0) {
        size_t cap;
        uint8_t *at = mqc_rx_space(&r->e, &cap);
        if (cap == 0) {
            return mqc_error(&r->e) != MQC_OK ? mqc_error(&r->e) : MQC_ERR_NO_SPACE;
        }
        size_t n = len < cap ? len : cap;
        memcpy(at, p, n);
        assert_int_equal(mqc_rx_commit(&r->e, n, r->now), MQC_OK);
        p += n;
        len -= n;
        rig_pull(r);
    }
    return mqc_error(&r->e);
}

size_t rig_send(rig *r, size_t max)
{
    size_t total = 0;

    while (total < max) {
        size_t len;
        bool ready = mqc_tx_ready(&r->e);
        const uint8_t *run = mqc_tx_data(&r->e, &len);
        assert_int_equal(ready, len > 0);
        if (len == 0) {
            break;
        }
        size_t n = len < max - total ? len : max - total;
        assert_true(n <= sizeof r->sent - r->sent_len);
        memcpy(r->sent + r->sent_len, run, n);
        r->sent_len += n;
        r->runs++;
        mqc_tx_consume(&r->e, n, r->now);
        total += n;
    }
    return total;
}

void rig_send_all(rig *r)
{
    (void)rig_send(r, SIZE_MAX);
}

void rig_expect_sent_bytes(const rig *r, const void *bytes, size_t len)
{
    assert_int_equal(r->sent_len, len);
    assert_memory_equal(r->sent, bytes, len);
}

static size_t remaining_at(const uint8_t *p, size_t *header_len)
{
    size_t value = 0;
    size_t i = 0;

    do {
        value |= (size_t)(p[1 + i] & 0x7F) << (7 * i);
    } while ((p[1 + i++] & 0x80) != 0);
    *header_len = 1 + i;
    return value;
}

const char *rig_sent_text(const rig *r)
{
    static char text[65536];
    size_t out = 0;
    size_t at = 0;

    text[0] = '\0';
    while (at < r->sent_len) {
        const uint8_t *p = r->sent + at;
        size_t head;
        size_t len = remaining_at(p, &head);
        const uint8_t *body = p + head;
        char *line = text + out;
        size_t cap = sizeof text - out;
        int n;

        assert_true(at + head + len <= r->sent_len);
        if (p[0] >> 4 == MQC_PUBLISH) {
            unsigned qos = mqc_publish_qos(p[0] & 0xF);
            size_t topic = (size_t)body[0] << 8 | body[1];
            const uint8_t *id = body + 2 + topic;
            n = snprintf(line, cap, "PUBLISH d%d q%u r%d id%d #%d\n", (p[0] & 8) != 0, qos,
                         p[0] & 1, qos > 0 ? id[0] << 8 | id[1] : 0, id[qos > 0 ? 2 : 0]);
        } else if (len == 2) {
            n = snprintf(line, cap, "%s %d\n", mqc_packet_name(p[0] >> 4), body[0] << 8 | body[1]);
        } else {
            n = snprintf(line, cap, "%s\n", mqc_packet_name(p[0] >> 4));
        }
        assert_true(n > 0 && (size_t)n < cap);
        out += (size_t)n;
        at += head + len;
    }
    return text;
}

uint16_t rig_publish(rig *r, uint8_t lane, uint8_t qos, uint32_t id, size_t len)
{
    uint8_t payload[4096];
    uint16_t packet_id;

    assert_true(len <= sizeof payload);
    for (size_t i = 0; i < len; i++) {
        payload[i] = (uint8_t)(id + i);
    }
    const mqc_outgoing m = {
        .topic = MQC_SPAN_LIT("t"), .payload = { payload, len }, .qos = qos, .lane = lane, .id = id
    };
    assert_int_equal(mqc_publish(&r->e, &m, &packet_id), MQC_OK);
    return packet_id;
}

mqc_time rig_deadline(const rig *r)
{
    mqc_time when;
    return mqc_next_deadline(&r->e, &when) ? when : UINT64_MAX;
}

uint32_t rig_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

mqc_result rig_queue(rig *r, uint32_t id, uint8_t qos, bool keep, mqc_time expires)
{
    const uint8_t byte = (uint8_t)id;
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { &byte, 1 },
                             .qos = qos,
                             .keep = keep,
                             .expires = expires,
                             .id = id };
    return mqc_publish(&r->e, &m, NULL);
}

void rig_puback(rig *r, uint16_t id)
{
    assert_int_equal(RIG_FEED(r, 0x40, 2, (uint8_t)(id >> 8), (uint8_t)id), MQC_OK);
}

void rig_release(rig *r, uint32_t id, mqc_result want)
{
    mqc_done done = { 0 };
    assert_int_equal(mqc_release(&r->e, 0, id, &done), want);
    if (want == MQC_OK) {
        assert_int_equal(done.outcome, MQC_OUTCOME_RELEASED);
        assert_int_equal(done.id, id);
    }
}

size_t rig_sent_now(rig *r)
{
    size_t before = mqc_lane(&r->e, 0).in_flight;
    rig_send_all(r);
    return mqc_lane(&r->e, 0).in_flight - before;
}
