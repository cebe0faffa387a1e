/*
 * The MQTT layer alone, with any MQTT 3.1.1 broker: subscribes to a topic, sends one message with
 * QoS 0 and one with QoS 1 (or one with the QoS given by --qos), and prints what arrives until both
 * have been received.
 *
 *     mqtt_client -h localhost -p 1883 -t greetings -m hello
 *
 * Single steps, with the other features of MQTT:
 *
 *     mqtt_client publish -t state -m on -q 1 --retain
 *     mqtt_client listen -t 'state/#' -q 2 -i me --disable-clean-session
 *     mqtt_client unsubscribe -t 'state/#' -i me --disable-clean-session
 *     mqtt_client listen -t work --will-topic state --will-payload gone
 *
 * Over WebSocket:
 *
 *     mqtt_client --url wss://broker.example/mqtt -t greetings
 *
 * mqtt_core has no sockets and no clock: mqtt_loop.c moves the bytes and passes the time.
 */

#include <cli/output.h>
#include <cli/secret.h>
#include <signal.h>
#include <stdio.h>

#include "mqtt_args.h"
#include "mqtt_loop.h"

typedef struct app {
    mqtt_args args;
    mqtt_loop loop;
    unsigned received;
    unsigned sent; /* number of messages that this program has sent */
    unsigned finished;
    bool begun; /* everything was sent, and each subscription was requested */
    bool connected;
    bool failed;
} app;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void fail(app *a, const char *part, const char *why)
{
    (void)cli_error("%s: %s", part, why);
    a->failed = true;
}

static void log_in(app *a)
{
    const mqc_connect_options o = {
        .client_id = mqc_span_str(a->args.client_id),
        .username = mqc_span_str(a->args.user_name),
        .password = mqc_span_str(a->args.password),
        .will = { .topic = mqc_span_str(a->args.will_topic),
                  .payload = mqc_span_str(a->args.will_payload),
                  .qos = (uint8_t)a->args.will_qos,
                  .retain = a->args.will_retain },
        .keep_alive_s = 60,
        .clean_session = !a->args.keep_session,
        .timeout_ms = 10000,
        .ack_timeout_ms = 30000, /* limits a broker that answers pings but nothing else */
        .stall_timeout_ms = 30000,
        .reports_flow = true,
    };
    mqc_result r = mqc_connect(&a->loop.engine, &o, mqtt_loop_now(&a->loop));

    if (r != MQC_OK) {
        fail(a, "--id, --username, --pw or --will-payload", mqc_result_str(r));
    }
}

static void subscribe(app *a)
{
    const mqc_subscription s = { mqc_span_str(a->args.topic),
                                 a->args.qos < 0 ? 1 : (uint8_t)a->args.qos };
    mqc_result r = mqc_subscribe(&a->loop.engine, &s, 1, NULL);

    if (r != MQC_OK) {
        fail(a, "--topic", mqc_result_str(r));
    }
}

static void unsubscribe(app *a)
{
    const mqc_span filter = mqc_span_str(a->args.topic);
    mqc_result r = mqc_unsubscribe(&a->loop.engine, &filter, 1, NULL);

    if (r != MQC_OK) {
        fail(a, "--topic", mqc_result_str(r));
    }
}

static void publish(app *a, uint8_t qos)
{
    const mqc_outgoing m = {
        .topic = mqc_span_str(a->args.topic),
        .payload = mqc_span_str(a->args.message),
        .qos = qos,
        .retain = a->args.retain,
    };
    mqc_result r =
        mqc_publish(&a->loop.engine, &m,
                    NULL); /* the text was copied; it is sent when the stream accepts bytes */

    if (r != MQC_OK) {
        fail(a, "--topic or --message", mqc_result_str(r));
    }
    a->sent++;
}

static void publish_all(app *a)
{
    a->begun = true;
    if (a->args.qos >= 0) {
        publish(a, (uint8_t)a->args.qos);
        return;
    }
    publish(a, 0);
    if (!a->failed) {
        publish(a, 1);
    }
}

static void on_message(app *a, const mqc_message *m)
{
    a->received++;
    cli_put(stdout, m->topic.ptr, m->topic.len);
    printf(" (QoS %d%s): ", m->qos, m->retain ? ", retained" : "");
    cli_put(stdout, m->payload.ptr, m->payload.len);
    putchar('\n');
    if (m->qos > 0) {
        (void)mqc_ack(
            &a->loop.engine,
            m->packet_id); /* after this acknowledgement the broker may delete the message */
    }
}

/* Section 3.2.2.3. */
static const char *refusal(uint8_t return_code)
{
    static const char *const texts[] = { "0",
                                         "1, not MQTT 3.1.1",
                                         "2, it does not accept this client id; see --id",
                                         "3, it is not available",
                                         "4, wrong user name or password; see --username and --pw",
                                         "5, not authorized; see --username and --pw" };

    return return_code < sizeof texts / sizeof texts[0] ? texts[return_code] : "unknown";
}

static void on_connected(app *a, bool session_present)
{
    a->connected = true;
    if (a->args.keep_session) {
        puts(session_present ? "the session continues" : "a new session");
    }
    switch (a->args.command) {
    case MQTT_BOTH:
    case MQTT_LISTEN: subscribe(a); break;
    case MQTT_PUBLISH: publish_all(a); break;
    case MQTT_UNSUBSCRIBE: unsubscribe(a); break;
    }
}

static void on_subscribed(app *a, uint8_t return_code)
{
    if (return_code == 0x80) {
        fail(a, "the broker refused to subscribe", "--topic");
        return;
    }
    if (a->args.command == MQTT_BOTH) {
        publish_all(a);
        return;
    }
    printf("listening to ");
    cli_puts(stdout, cli_shown(a->args.topic, "--topic"));
    printf(" with QoS %d\n", return_code);
    a->begun = true;
}

static void on_event(app *a, const mqc_event *ev)
{
    switch (ev->type) {
    case MQC_EVENT_CONNECTED: on_connected(a, ev->u.connack.session_present); break;
    case MQC_EVENT_REFUSED:
        fail(a, "the broker refused the connection, CONNACK", refusal(ev->u.connack.return_code));
        break;
    case MQC_EVENT_SUBSCRIBED: on_subscribed(a, ev->u.suback.return_codes.ptr[0]); break;
    case MQC_EVENT_PUBLISH:
    case MQC_EVENT_OVERSIZE: on_message(a, &ev->u.publish); break;
    case MQC_EVENT_DONE: a->finished++; break;
    case MQC_EVENT_UNSUBSCRIBED: a->begun = true; break;
    }
}

static bool all_done(const app *a)
{
    return a->begun && a->received >= a->args.count && a->finished == a->sent;
}

/* A TLS port closes the connection when it receives plain MQTT. */
static void fail_early(app *a)
{
    bool hint = !a->connected && !a->args.tls;

    (void)cli_error("%s: %s%s", a->loop.part, a->loop.why,
                    hint ? "; a port with TLS needs --cafile" : "");
    a->failed = true;
}

/* Reads, handles events and writes once. Returns false when the connection has ended. */
static bool turn(app *a)
{
    mqc_event ev;

    (void)mqtt_loop_tick(&a->loop);
    if (!mqtt_loop_receive(&a->loop)) {
        fail_early(a);
        return false;
    }
    while (mqc_next_event(&a->loop.engine, &ev)) {
        on_event(a, &ev);
    }
    if (!a->failed && mqc_error(&a->loop.engine) != MQC_OK) {
        fail(a, mqc_result_str(mqc_error(&a->loop.engine)), mqc_error_packet(&a->loop.engine));
    }
    if (!a->failed && !mqtt_loop_transmit(&a->loop)) {
        fail(a, a->loop.part, a->loop.why);
    }
    return !a->failed && !all_done(a) && !interrupted;
}

static void run(app *a)
{
    mqc_time until = mqtt_loop_now(&a->loop) + (mqc_time)a->args.timeout_s * 1000;

    if (!mqtt_loop_open(&a->loop, a->args.host, a->args.port, until)) {
        fail(a, a->loop.part, a->loop.why);
        return;
    }
    log_in(a);
    while (turn(a)) {
        mqc_time now = mqtt_loop_now(&a->loop);
        if (now >= until) {
            fail(a, a->args.host, "--timeout is over");
            break;
        }
        /* a signal that arrives just before a sleep does not interrupt it */
        mqtt_loop_sleep(&a->loop, now + 1000 < until ? now + 1000 : until);
    }
    if (mqc_disconnect(&a->loop.engine) == MQC_OK) {
        (void)mqtt_loop_transmit(&a->loop);
    }
}

/* Returns false if this program was built without wslay. */
static bool add_websockets(plat_platform *platform)
{
#ifdef WITH_WEBSOCKETS
    platform->websockets = plat_wslay();
#endif
    return platform->websockets != NULL;
}

int main(int argc, char **argv)
{
    static app a;
    struct sigaction action = { .sa_handler = on_signal };
    plat_platform platform = *plat_posix();

    cli_begin();
    mqtt_args_parse(&a.args, argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    const mqtt_target target = { a.args.tls, a.args.ca_file, a.args.path };
    if (!add_websockets(&platform) && target.path != NULL) {
        fail(&a, "--url", "this program was built without WebSockets (wslay)");
        return 1;
    }
    if (!mqtt_loop_init(&a.loop, &platform, &target)) {
        fail(&a, a.loop.part, a.loop.why);
        return 1;
    }
    run(&a);
    a.loop.stream->ops->deinit(a.loop.stream);
    return a.failed || !(all_done(&a) || interrupted) ? 1 : 0;
}
