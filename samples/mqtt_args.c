#include "mqtt_args.h"

#include <cli/args.h>
#include <cli/secret.h>
#include <ctype.h>
#include <mqtt_core/topic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { URL = 256, KEEP_SESSION, WILL_TOPIC, WILL_PAYLOAD, WILL_QOS, WILL_RETAIN };

static const struct argp_option options[] = {
    { "host", 'h', "HOST", 0, "Broker (localhost)", 1 },
    { "port", 'p', "PORT", 0, "Its port (1883; 8883 with --cafile)", 0 },
    { "url", URL, "URL", 0,
      "Broker in place of --host and --port: mqtt://HOST[:PORT], mqtts://, or WebSocket: ws:// and "
      "wss://HOST[:PORT][/PATH]",
      0 },
    { "cafile", 'c', "FILE", 0,
      "Use TLS, and trust only the roots in this PEM file; mqtts:// and wss:// without it trust "
      "those of the system",
      0 },
    { "id", 'i', "ID", 0, "Client id (the broker chooses one)", 0 },
    { "username", 'u', "NAME", 0, "User name", 0 },
    { "pw", 'P', "PASSWORD", 0, "Password; needs a user name", 0 },
    { "disable-clean-session", KEEP_SESSION, NULL, 0,
      "Resume the session of --id and keep it afterwards: the broker keeps its subscriptions and "
      "the messages for them",
      0 },
    { "topic", 't', "TOPIC", 0,
      "Topic to publish and listen on (iothub_device/sample); to listen only, also a filter such "
      "as a/+/b or a/#",
      2 },
    { "message", 'm', "TEXT", 0, "Text to publish (hello)", 0 },
    { "qos", 'q', "0|1|2", 0, "QoS of the message and of the subscription", 0 },
    { "retain", 'r', NULL, 0, "The broker keeps the message for later subscribers", 0 },
    { "count", 'n', "N", 0, "Number of messages to receive (1; 2 without a command or --qos)", 0 },
    { "timeout", 'W', "SECONDS", 0, "Give up after this time (10)", 0 },
    { "will-topic", WILL_TOPIC, "TOPIC", 0,
      "Topic of the Will, which the broker publishes if this client disappears", 3 },
    { "will-payload", WILL_PAYLOAD, "TEXT", 0, "Text of the Will (none)", 0 },
    { "will-qos", WILL_QOS, "0|1|2", 0, "QoS of the Will (0)", 0 },
    { "will-retain", WILL_RETAIN, NULL, 0, "The broker keeps the Will for later subscribers", 0 },
    { 0 },
};

static const struct {
    const char *name;
    mqtt_command command;
} commands[] = { { "publish", MQTT_PUBLISH },
                 { "listen", MQTT_LISTEN },
                 { "unsubscribe", MQTT_UNSUBSCRIBE } };

static unsigned number(const struct argp_state *state, const char *name, const char *text,
                       unsigned min, unsigned max)
{
    return (unsigned)cli_number_option(state, name, text, min, max);
}

static mqtt_command command(const struct argp_state *state, const char *text)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(text, commands[i].name) == 0) {
            return commands[i].command;
        }
    }
    cli_usage(state, "the command is not publish, listen or unsubscribe");
}

static void check_text(const struct argp_state *state, const char *option, const char *text)
{
    if (!mqc_utf8_valid(mqc_span_str(text))) {
        cli_usage(state, "%s is not UTF-8", option);
    }
}

static void check_topics(const struct argp_state *state, const mqtt_args *a)
{
    if (a->command == MQTT_LISTEN || a->command == MQTT_UNSUBSCRIBE) {
        if (!mqc_topic_filter_valid(mqc_span_str(a->topic))) {
            cli_usage(state, "--topic is not a topic filter such as a/+/b or a/#");
        }
    } else if (!mqc_topic_name_valid(mqc_span_str(a->topic))) {
        cli_usage(state,
                  "--topic is not a topic to publish to: it is empty, not UTF-8, or has + or #");
    }
    if (a->will_topic != NULL && !mqc_topic_name_valid(mqc_span_str(a->will_topic))) {
        cli_usage(
            state,
            "--will-topic is not a topic to publish to: it is empty, not UTF-8, or has + or #");
    }
}

/* Accepts a name or an address. Anything else may be a key, so it is not passed on to code that
 * might print it. */
static void check_host(const struct argp_state *state, const char *host)
{
    size_t len = strlen(host);

    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)host[i]) && strchr("-._:%", host[i]) == NULL) {
            cli_usage(state,
                      "--host is not a host name: only the name, without scheme, port and path");
        }
    }
    if (len == 0 || len > 253) {
        cli_usage(state, "--host is not a host name: it has 1 to 253 characters");
    }
}

static void use_url(const struct argp_state *state, mqtt_args *a, const char *text)
{
    const char *fault = mqtt_url_parse(&a->url, text);

    if (fault != NULL) {
        cli_usage(state, "--url: %s", fault);
    }
    a->host = a->url.host;
    a->port = a->url.port;
    a->path = a->url.path[0] != '\0' ? a->url.path : NULL;
    a->tls = a->url.tls;
    a->has_url = true;
}

/* Checks that need several options. */
static void check(const struct argp_state *state, const mqtt_args *a)
{
    check_host(state, a->host);
    if (a->ca_file != NULL && !cli_may_show(a->ca_file) && access(a->ca_file, R_OK) != 0) {
        cli_usage(state, "--cafile is not the name of a file");
    }
    if (a->has_url && a->ca_file != NULL && !a->tls) {
        cli_usage(state, "--cafile is for TLS, so --url begins with mqtts:// or wss://");
    }
    check_text(state, "--id", a->client_id);
    check_text(state, "--username", a->user_name);
    check_topics(state, a);
    if (a->password != NULL && a->user_name == NULL) {
        cli_usage(state, "--pw needs --username");
    }
    if (a->keep_session && a->client_id[0] == '\0') {
        cli_usage(state, "--disable-clean-session needs --id");
    }
    if (a->will_topic == NULL && (a->will_payload != NULL || a->will_qos != 0 || a->will_retain)) {
        cli_usage(state, "--will-payload, --will-qos and --will-retain need --will-topic");
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    mqtt_args *a = state->input;

    switch (key) {
    case 'h': a->host = arg; return 0;
    case 'p': a->port = number(state, "port", arg, 1, 65535); return 0;
    case 't': a->topic = arg; return 0;
    case 'm': a->message = arg; return 0;
    case 'i': a->client_id = arg; return 0;
    case 'u': a->user_name = arg; return 0;
    case 'P': a->password = arg; return 0;
    case 'c': a->ca_file = arg; return 0;
    case 'q': a->qos = (int)number(state, "qos", arg, 0, 2); return 0;
    case 'r': a->retain = true; return 0;
    case 'n': a->count = number(state, "count", arg, 1, 1000000000); return 0;
    case 'W': a->timeout_s = number(state, "timeout", arg, 1, 1000000); return 0;
    case URL: use_url(state, a, arg); return 0;
    case KEEP_SESSION: a->keep_session = true; return 0;
    case WILL_TOPIC: a->will_topic = arg; return 0;
    case WILL_PAYLOAD: a->will_payload = arg; return 0;
    case WILL_QOS: a->will_qos = number(state, "will-qos", arg, 0, 2); return 0;
    case WILL_RETAIN: a->will_retain = true; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) {
            cli_usage(state, "one command is enough");
        }
        a->command = command(state, arg);
        return 0;
    case ARGP_KEY_END: check(state, a); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

void mqtt_args_parse(mqtt_args *a, int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "[publish|listen|unsubscribe]",
        .doc = "Try the MQTT layer against any MQTT 3.1.1 broker: subscribe to a topic, send one "
               "message at QoS 0 and one at QoS 1, print what comes. With a command only a part "
               "of it: send, subscribe and print, or end a subscription of a session that was "
               "left behind.",
    };
    const mqtt_args defaults = {
        .host = "localhost",
        .topic = "iothub_device/sample",
        .message = "hello",
        .client_id = "",
        .qos = -1,
        .timeout_s = 10,
    };

    *a = defaults;
    cli_parse(&argp, argc, argv, 0, a);
    if (a->command == MQTT_PUBLISH || a->command == MQTT_UNSUBSCRIBE) {
        a->count = 0;
    } else if (a->count == 0) {
        a->count = a->command == MQTT_BOTH && a->qos < 0 ? 2 : 1;
    }
    a->tls = a->tls || a->ca_file != NULL;
    if (a->port == 0) {
        a->port = a->ca_file != NULL ? 8883 : 1883;
    }
}
