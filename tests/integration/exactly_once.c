/* Sends numbered QoS 2 messages to a broker and back over connections that break, and counts
 * what arrives. A message may arrive twice only if the broker has broken section 4.3.3 of MQTT
 * 3.1.1 by sending the PUBLISH again after the PUBREL. To detect that, the program also decodes
 * the received bytes itself.
 *
 * usage: exactly_once PORT COUNT SECONDS [PATH]
 *
 * PATH is that of a WebSocket; without it the connection is plain TCP. It prints one line of JSON.
 * The session is kept; every fourth message is acknowledged late. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <platform/websocket.h>

#include "mqtt_loop.h"

enum { COUNT_MAX = 100000, LATE_MAX = 8 };

static const mqc_span topic = MQC_SPAN_LIT("exactly/once");

/* Decodes the bytes of the broker a second time, only to find PUBREL packets. */
typedef struct wire {
    plat_result (*recv)(plat_stream *s, uint8_t *buf, size_t cap, size_t *got);
    enum { WIRE_TYPE = 0, WIRE_LENGTH, WIRE_BODY } phase;
    uint8_t type;
    unsigned shift;
    size_t left; /* bytes of the body that are still to come */
    uint16_t id;
    bool released[65536]; /* indexed by packet id: PUBREL has arrived since the last PUBLISH */
} wire;

static wire tapped;

typedef struct trial {
    mqtt_loop loop;
    unsigned count;
    unsigned accepted; /* messages that the engine has accepted */
    unsigned done;
    unsigned arrived; /* number of different messages that have arrived */
    unsigned twice;
    unsigned connections;
    unsigned repeated; /* number of messages with DUP */
    bool subscribed;
    bool broken; /* the engine has broken a promise, or the broker a rule */
    uint16_t late[LATE_MAX];
    unsigned late_count;
    uint8_t times[COUNT_MAX];
} trial;

static void check(trial *t, bool claim, const char *what)
{
    if (!claim) {
        fprintf(stderr, "exactly_once: %s\n", what);
        t->broken = true;
    }
}

static void read_length(wire *w, uint8_t byte)
{
    w->left |= (size_t)(byte & 0x7F) << w->shift;
    w->shift += 7;
    if ((byte & 0x80) == 0) {
        w->phase = w->left > 0 ? WIRE_BODY : WIRE_TYPE;
    }
}

static void read_body(wire *w, uint8_t byte)
{
    w->id = (uint16_t)(w->id << 8 | byte);
    if (--w->left > 0) {
        return;
    }
    w->phase = WIRE_TYPE;
    if (w->type == 0x62) {
        w->released[w->id] = true;
    }
}

static plat_result read_twice(plat_stream *s, uint8_t *buf, size_t cap, size_t *got)
{
    wire *w = &tapped;
    plat_result r = w->recv(s, buf, cap, got);

    for (size_t i = 0; r == PLAT_OK && i < *got; i++) {
        switch (w->phase) {
        case WIRE_TYPE:
            w->type = buf[i];
            w->shift = 0;
            w->left = 0;
            w->phase = WIRE_LENGTH;
            break;
        case WIRE_LENGTH: read_length(w, buf[i]); break;
        case WIRE_BODY: read_body(w, buf[i]); break;
        }
    }
    return r;
}

static void tap(plat_stream *s)
{
    static plat_stream_ops ops;

    ops = *s->ops;
    tapped.recv = ops.recv;
    ops.recv = read_twice;
    s->ops = &ops;
}

static void acknowledge_late_ones(trial *t)
{
    while (t->late_count > 0) {
        uint16_t id = t->late[--t->late_count];
        check(t, mqc_ack(&t->loop.engine, id) == MQC_OK, "an acknowledgement was refused");
    }
}

static void on_message(trial *t, const mqc_message *m)
{
    char text[16] = "";

    if (m->payload.len < sizeof text) {
        memcpy(text, m->payload.ptr, m->payload.len);
    }
    unsigned number = (unsigned)strtoul(text, NULL, 10);
    check(t, m->qos == 2 && number < t->count, "a message that nobody has sent");
    if (t->broken) {
        return;
    }
    t->repeated += m->dup;
    t->arrived += t->times[number] == 0;
    if (t->times[number]++ > 0) {
        check(t, m->dup && tapped.released[m->packet_id], "a message twice, without PUBREL");
        t->twice++;
    }
    tapped.released[m->packet_id] = false;
    t->late[t->late_count++] = m->packet_id;
    if (number % 4 != 0 || t->late_count == LATE_MAX) {
        acknowledge_late_ones(t);
    }
}

static void on_event(trial *t, const mqc_event *ev)
{
    const mqc_subscription s = { topic, 2 };

    switch (ev->type) {
    case MQC_EVENT_CONNECTED:
        check(t, ev->u.connack.session_present || !t->subscribed, "the broker lost the session");
        if (!t->subscribed) {
            check(t, mqc_subscribe(&t->loop.engine, &s, 1, NULL) == MQC_OK, "SUBSCRIBE");
        }
        break;
    case MQC_EVENT_SUBSCRIBED: t->subscribed = true; break;
    case MQC_EVENT_PUBLISH: on_message(t, &ev->u.publish); break;
    case MQC_EVENT_DONE:
        check(t, ev->u.done.outcome == MQC_OUTCOME_ACKED, "a message has ended otherwise");
        t->done++;
        break;
    case MQC_EVENT_REFUSED:
    case MQC_EVENT_OVERSIZE:
    case MQC_EVENT_UNSUBSCRIBED: check(t, false, "an event that cannot be"); break;
    }
}

static void publish_more(trial *t)
{
    while (t->subscribed && t->accepted < t->count) {
        char text[16];
        int len = snprintf(text, sizeof text, "%u", t->accepted);
        const mqc_outgoing m = {
            .topic = topic, .payload = mqc_span_of(text, (size_t)len), .qos = 2, .id = t->accepted
        };
        if (mqc_publish(&t->loop.engine, &m, NULL) != MQC_OK) {
            return;
        }
        t->accepted++;
    }
}

static bool over(const trial *t)
{
    return t->broken || (t->done == t->count && t->arrived == t->count);
}

/* One turn of a connection. Returns false if the connection has ended. */
static bool turn(trial *t)
{
    mqc_engine *e = &t->loop.engine;
    mqc_event ev;

    if (mqtt_loop_tick(&t->loop) != MQC_OK || !mqtt_loop_receive(&t->loop)) {
        return false;
    }
    bool idle = true;
    while (mqc_next_event(e, &ev)) {
        on_event(t, &ev);
        idle = false;
    }
    if (idle) {
        acknowledge_late_ones(t);
    }
    publish_more(t);
    return mqc_error(e) == MQC_OK && mqtt_loop_transmit(&t->loop) && !over(t);
}

static void connection(trial *t, unsigned port, mqc_time until)
{
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("exactly_once"),
                                    .keep_alive_s = 60,
                                    .timeout_ms = 10000,
                                    .reports_flow = true };

    mqc_reset(&t->loop.engine);
    tapped.phase = WIRE_TYPE;
    if (mqtt_loop_open(&t->loop, "127.0.0.1", port, until)) {
        t->connections++;
        check(t, mqc_connect(&t->loop.engine, &o, mqtt_loop_now(&t->loop)) == MQC_OK, "CONNECT");
        while (turn(t) && mqtt_loop_now(&t->loop) < until) {
            mqtt_loop_sleep(&t->loop, t->late_count > 0 ? mqtt_loop_now(&t->loop) : until);
        }
    }
    t->loop.stream->ops->close(t->loop.stream);
}

int main(int argc, char **argv)
{
    static trial t;
    plat_platform platform = *plat_posix();

    if (argc < 4 || argc > 5 || (t.count = (unsigned)strtoul(argv[2], NULL, 10)) > COUNT_MAX) {
        fprintf(stderr, "usage: exactly_once PORT COUNT SECONDS [PATH]\n");
        return 2;
    }
    unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
    const mqtt_target target = { .tls = false, .path = argc == 5 ? argv[4] : NULL };
#ifdef WITH_WEBSOCKETS
    platform.websockets = plat_wslay();
#endif
    if (!mqtt_loop_init(&t.loop, &platform, &target)) {
        fprintf(stderr, "exactly_once: %s: %s\n", t.loop.part, t.loop.why);
        return 1;
    }
    tap(t.loop.stream);
    mqc_time until = mqtt_loop_now(&t.loop) + strtoull(argv[3], NULL, 10) * 1000;
    while (!over(&t) && mqtt_loop_now(&t.loop) < until) {
        connection(&t, port, until);
    }
    printf(
        "{\"done\": %u, \"arrived\": %u, \"twice\": %u, \"repeated\": %u, \"connections\": %u}\n",
        t.done, t.arrived, t.twice, t.repeated, t.connections);
    t.loop.stream->ops->deinit(t.loop.stream);
    return t.broken ? 1 : 0;
}
