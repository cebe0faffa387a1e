#include "mqtt_args.h"

#include <argp.h>
#include <stdlib.h>

static unsigned number(struct argp_state *state, const char *text, unsigned min, unsigned max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < min || n > max) {
        argp_error(state, "\"%s\" is not a number from %u to %u", text, min, max);
    }
    return (unsigned)n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    mqtt_args *a = state->input;

    switch (key) {
    case 'h': a->host = arg; return 0;
    case 'p': a->port = number(state, arg, 1, 65535); return 0;
    case 't': a->topic = arg; return 0;
    case 'm': a->message = arg; return 0;
    case 'i': a->client_id = arg; return 0;
    case 'u': a->user_name = arg; return 0;
    case 'P': a->password = arg; return 0;
    case 'c': a->ca_file = arg; return 0;
    case 'q': a->qos = (int)number(state, arg, 0, 2); return 0;
    case 'n': a->count = number(state, arg, 1, 1000000000); return 0;
    case 'W': a->timeout_s = number(state, arg, 1, 1000000); return 0;
    case ARGP_KEY_END:
        if (a->password != NULL && a->user_name == NULL) {
            argp_error(state, "--pw needs --username");
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

void mqtt_args_parse(mqtt_args *a, int argc, char **argv)
{
    static const struct argp_option options[] = {
        { "host", 'h', "HOST", 0, "Broker (localhost)", 0 },
        { "port", 'p', "PORT", 0, "Its port (1883; 8883 with --cafile)", 0 },
        { "topic", 't', "TOPIC", 0, "Where to publish and listen (iothub_device/sample)", 0 },
        { "message", 'm', "TEXT", 0, "What to publish (hello)", 0 },
        { "qos", 'q', "0|1|2", 0, "Send one message with this QoS, and subscribe with it", 0 },
        { "id", 'i', "ID", 0, "Client id (the broker chooses one)", 0 },
        { "username", 'u', "NAME", 0, "User name", 0 },
        { "pw", 'P', "PASSWORD", 0, "Password; needs a user name", 0 },
        { "cafile", 'c', "FILE", 0, "Use TLS, and trust only the roots in this PEM file", 0 },
        { "count", 'n', "N", 0, "End after so many received messages (2; 1 with --qos)", 0 },
        { "timeout", 'W', "SECONDS", 0, "Give up after this time (10)", 0 },
        { 0 },
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .doc = "Try the MQTT layer against any MQTT 3.1.1 broker: subscribe to a topic, send one "
               "message at QoS 0 and one at QoS 1, print what comes.",
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
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, a);
    if (a->count == 0) {
        a->count = a->qos < 0 ? 2 : 1;
    }
    if (a->port == 0) {
        a->port = a->ca_file != NULL ? 8883 : 1883;
    }
}
