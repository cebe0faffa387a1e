/*
 * The MQTT layer alone, against any MQTT 3.1.1 broker: subscribe to a topic, send one
 * message at QoS 0 and one at QoS 1, print what comes until both came back.
 *
 *     mqtt_client -h localhost -p 1883 -t greetings -m hello
 *
 * mqtt_core knows no sockets and no clock: this file moves the bytes and the time.
 */

#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mqtt_core/engine_struct.h>
#include <platform/platform.h>

typedef struct app {
    const char *host, *topic, *message, *client_id, *user_name, *password, *ca_file;
    unsigned port, count, timeout_s;

    const plat_platform *platform;
    plat_stream *stream;
    mqc_engine engine;
    unsigned received;
    unsigned finished; /* of our own two messages */
    bool failed;
} app;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static bool fail(app *a, const char *what, const char *why)
{
    fprintf(stderr, "mqtt_client: %s: %s\n", what, why);
    a->failed = true;
    return false;
}

/* --- MQTT ----------------------------------------------------------------- */

static bool connect_mqtt(app *a, mqc_time now)
{
    const mqc_connect_options o = {
        .client_id = mqc_span_str(a->client_id),
        .username = mqc_span_str(a->user_name),
        .password = mqc_span_str(a->password),
        .keep_alive_s = 60,
        .clean_session = true,
        .timeout_ms = 10000,
    };
    mqc_result r = mqc_connect(&a->engine, &o, now);

    return r == MQC_OK || fail(a, "CONNECT", mqc_result_str(r));
}

static void subscribe(app *a)
{
    const mqc_subscription s = { mqc_span_str(a->topic), 1 };
    mqc_result r = mqc_subscribe(&a->engine, &s, 1, NULL);

    if (r != MQC_OK) {
        (void)fail(a, "-t", mqc_result_str(r));
    }
}

static void publish_both(app *a)
{
    for (uint8_t qos = 0; qos <= 1; qos++) {
        const mqc_outgoing m = { .topic = mqc_span_str(a->topic),
                                 .payload = mqc_span_str(a->message),
                                 .qos = qos };
        mqc_result r = mqc_publish(&a->engine, &m, NULL);
        if (r != MQC_OK) {
            (void)fail(a, "PUBLISH", mqc_result_str(r));
        }
    }
}

static void on_message(app *a, const mqc_message *m)
{
    a->received++;
    printf("%.*s (QoS %d): ", (int)m->topic.len, (const char *)m->topic.ptr, m->qos);
    fwrite(m->payload.ptr, 1, m->payload.len, stdout);
    printf("\n");
    if (m->qos > 0) {
        (void)mqc_ack(&a->engine, m->packet_id); /* now the broker may forget it */
    }
}

static void on_event(app *a, const mqc_event *ev)
{
    char code[4];

    switch (ev->type) {
    case MQC_EVENT_CONNECTED: subscribe(a); break;
    case MQC_EVENT_REFUSED:
        snprintf(code, sizeof code, "%d", ev->u.connack.return_code);
        (void)fail(a, "the broker refused the connection, CONNACK code", code);
        break;
    case MQC_EVENT_SUBSCRIBED:
        if (ev->u.suback.return_codes.ptr[0] == 0x80) {
            (void)fail(a, "the broker refused the subscription", a->topic);
        } else {
            publish_both(a);
        }
        break;
    case MQC_EVENT_PUBLISH:
    case MQC_EVENT_OVERSIZE: on_message(a, &ev->u.publish); break;
    case MQC_EVENT_DONE: a->finished++; break;
    case MQC_EVENT_UNSUBSCRIBED: break;
    }
}

/* --- bytes and time ----------------------------------------------------------- */

static bool receive(app *a, mqc_time now)
{
    mqc_event ev;
    size_t cap, got = 0;
    uint8_t *at = mqc_rx_space(&a->engine, &cap);
    plat_result r = cap > 0 ? a->stream->ops->recv(a->stream, at, cap, &got) : PLAT_WOULD_BLOCK;

    if (r != PLAT_OK && r != PLAT_WOULD_BLOCK) {
        return fail(a, a->host, r == PLAT_EOF ? "closed by the broker" : plat_result_str(r));
    }
    if (got > 0) {
        (void)mqc_rx_commit(&a->engine, got, now);
    }
    while (mqc_next_event(&a->engine, &ev)) {
        on_event(a, &ev);
    }
    if (!a->failed && mqc_error(&a->engine) != MQC_OK) {
        return fail(a, "MQTT", mqc_result_str(mqc_error(&a->engine)));
    }
    return !a->failed;
}

/* *blocked: the stream would not take all of it. */
static bool transmit(app *a, mqc_time now, bool *blocked)
{
    size_t len, sent;
    const uint8_t *data;

    *blocked = false;
    while (data = mqc_tx_data(&a->engine, &len), len > 0) {
        plat_result r = a->stream->ops->send(a->stream, data, len, &sent);
        if (r == PLAT_WOULD_BLOCK) {
            *blocked = true;
            return true;
        }
        if (r != PLAT_OK) {
            return fail(a, a->host, a->stream->ops->detail(a->stream));
        }
        mqc_tx_consume(&a->engine, sent, now);
    }
    return true;
}

static mqc_time now_ms(const app *a)
{
    return a->platform->clock->monotonic_ms(a->platform->clock);
}

/* Sleep until the stream or a deadline wants attention, or until `until`. */
static void sleep_until(app *a, bool want_send, mqc_time until)
{
    plat_poll p;
    mqc_time now = now_ms(a), deadline;

    a->stream->ops->poll(a->stream, want_send, &p);
    if (mqc_next_deadline(&a->engine, &deadline) && deadline < until) {
        until = deadline;
    }
    if (p.wake_at_ms != 0 && p.wake_at_ms < until) {
        until = p.wake_at_ms;
    }
    a->platform->net->wait(a->platform->net, &p,
                           p.ready_now || until <= now ? 0 : (int)(until - now));
}

static bool open_stream(app *a, mqc_time until)
{
    plat_stage stage;
    plat_result r = a->stream->ops->open(a->stream, a->host, (uint16_t)a->port, now_ms(a));

    while (r == PLAT_OK || r == PLAT_WOULD_BLOCK) {
        r = a->stream->ops->progress(a->stream, now_ms(a), &stage);
        if (r == PLAT_OK) {
            return true;
        }
        if (interrupted || now_ms(a) >= until) {
            return interrupted ? false : fail(a, a->host, "no answer in time");
        }
        if (r == PLAT_WOULD_BLOCK) {
            sleep_until(a, false, until);
        }
    }
    return fail(a, plat_result_str(r), a->stream->ops->detail(a->stream));
}

static bool all_done(const app *a)
{
    return a->received >= a->count && a->finished == 2;
}

static void run(app *a)
{
    mqc_time until = now_ms(a) + (mqc_time)a->timeout_s * 1000;
    bool blocked = false;

    if (!open_stream(a, until) || !connect_mqtt(a, now_ms(a))) {
        return;
    }
    while (!interrupted && !all_done(a)) {
        mqc_time now = now_ms(a);
        if (now >= until) {
            (void)fail(a, a->host, "--timeout is over");
            break;
        }
        (void)mqc_tick(&a->engine, now);
        if (!receive(a, now) || !transmit(a, now, &blocked)) {
            return;
        }
        if (!all_done(a)) {
            sleep_until(a, blocked, until);
        }
    }
    (void)mqc_disconnect(&a->engine);
    (void)transmit(a, now_ms(a), &blocked);
}

/* --- set-up ----------------------------------------------------------------------- */

static unsigned number(struct argp_state *state, const char *text, unsigned max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n == 0 || n > max) {
        argp_error(state, "\"%s\" is not a number from 1 to %u", text, max);
    }
    return (unsigned)n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    app *a = state->input;

    switch (key) {
    case 'h': a->host = arg; return 0;
    case 'p': a->port = number(state, arg, 65535); return 0;
    case 't': a->topic = arg; return 0;
    case 'm': a->message = arg; return 0;
    case 'i': a->client_id = arg; return 0;
    case 'u': a->user_name = arg; return 0;
    case 'P': a->password = arg; return 0;
    case 'c': a->ca_file = arg; return 0;
    case 'n': a->count = number(state, arg, 1000000000); return 0;
    case 'W': a->timeout_s = number(state, arg, 1000000); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void parse(app *a, int argc, char **argv)
{
    static const struct argp_option options[] = {
        { "host", 'h', "HOST", 0, "Broker (localhost)", 0 },
        { "port", 'p', "PORT", 0, "Its port (1883, with --cafile 8883)", 0 },
        { "topic", 't', "TOPIC", 0, "Where to publish and listen (iothub_device/sample)", 0 },
        { "message", 'm', "TEXT", 0, "What to publish (hello)", 0 },
        { "id", 'i', "ID", 0, "Client id (the broker chooses one)", 0 },
        { "username", 'u', "NAME", 0, "User name", 0 },
        { "pw", 'P', "PASSWORD", 0, "Password; needs a user name", 0 },
        { "cafile", 'c', "FILE", 0, "Use TLS, and trust the roots in this PEM file only", 0 },
        { "count", 'n', "N", 0, "End after so many received messages (2)", 0 },
        { "timeout", 'W', "SECONDS", 0, "Give up after this time (10)", 0 },
        { 0 },
    };
    static const struct argp argp = { options, parse_option,
                                      NULL,    "Try the MQTT layer against any MQTT 3.1.1 broker.",
                                      NULL,    NULL,
                                      NULL };

    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, a);
    if (a->port == 0) {
        a->port = a->ca_file != NULL ? 8883 : 1883;
    }
}

int main(int argc, char **argv)
{
    static uint8_t rx[64 * 1024], ring[64 * 1024], control[4 * 1024];
    static mqc_entry entries[16];
    static mqc_inbound inbound[16];
    static plat_stream_storage storage;
    const mqc_memory memory = {
        .rx = rx,
        .rx_len = sizeof rx,
        .control = control,
        .control_len = sizeof control,
        .inbound = inbound,
        .inbound_len = 16,
        .lanes = { { .ring = ring,
                     .ring_len = sizeof ring,
                     .entries = entries,
                     .entries_len = 16 } },
        .lane_count = 1,
    };
    struct sigaction action = { .sa_handler = on_signal };
    app a = { .host = "localhost",
              .topic = "iothub_device/sample",
              .message = "hello",
              .client_id = "",
              .count = 2,
              .timeout_s = 10,
              .platform = plat_posix() };

    parse(&a, argc, argv);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);

    const plat_stream_config config = {
        .kind = a.ca_file != NULL ? PLAT_STREAM_TLS : PLAT_STREAM_TCP,
        .ca_file = a.ca_file,
    };
    plat_result r = a.platform->net->stream(a.platform->net, &storage, &config, &a.stream);
    if (r != PLAT_OK || mqc_init(&a.engine, &memory) != MQC_OK) {
        (void)fail(&a, a.ca_file != NULL ? a.ca_file : "stream", plat_result_str(r));
        return 1;
    }
    run(&a);
    a.stream->ops->deinit(a.stream);
    return a.failed || !(all_done(&a) || interrupted) ? 1 : 0;
}
