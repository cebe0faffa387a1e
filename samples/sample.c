#include "sample.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cli/args.h>
#include <cli/number.h>
#include <cli/output.h>
#include <cli/secret.h>

#include "network.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static unsigned number(const struct argp_state *state, const char *name, const char *text,
                       unsigned max)
{
    return (unsigned)cli_number_option(state, name, text, 1, max);
}

/* Returns whether the sample needs a connection string. The other samples get their devices in
 * other ways. */
static bool needs_string(const sample *s)
{
    return s->devices == NULL && s->cache == NULL;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    sample *s = state->input;

    switch (key) {
    case 'p': s->options.port = (uint16_t)number(state, "port", arg, 65535); return 0;
    case 'n': s->count = number(state, "count", arg, 1000000000); return 0;
    case 's': s->store = arg; return 0;
    case 'f': s->first = number(state, "first", arg, 1000000000); return 0;
    case 'D': s->devices = arg; return 0;
    case 'i': s->interval_s = number(state, "interval", arg, 1000000); return 0;
    case 'c': s->cache = arg; return 0;
    case 'd': s->duration_s = number(state, "duration", arg, 1000000); return 0;
    /* The argument is not shown in the message, because it may be a connection string with a
     * key. */
    case ARGP_KEY_ARG:
        cli_usage(state, "Too many arguments: there are only options%s",
                  needs_string(s) ? ", and the connection string is in the environment variable "
                                    "IOTHUB_DEVICE_CONNECTION_STRING"
                                  : "");
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const char *hint(const sample *s, const iothub_status *status)
{
    if (status->reason == IOTHUB_ERR_TLS_UNTRUSTED && s->options.ca_file == NULL) {
        return "; set IOTHUB_CA_FILE to the root certificate of a local hub";
    }
    bool broken = status->reason == IOTHUB_ERR_NETWORK || status->reason == IOTHUB_ERR_TLS;
    return broken && !s->was_connected ? "; is this the port for MQTT over TLS?" : "";
}

/* Prints one line for each step, so that a beginner sees the steps of a connection. */
static void on_status(iothub_client *c, const iothub_status *status, void *user)
{
    sample *s = user;

    (void)c;
    if (status->state == IOTHUB_CONNECTED) {
        s->was_connected = true;
        printf("connected\n");
    } else if (status->state == IOTHUB_WAITING) {
        (void)cli_error("%s%s", status->text, hint(s, status));
        /* The client itself would try again forever; a sample that was never connected ends. */
        s->failed = !s->was_connected && s->store == NULL;
    }
}

static void read_environment(sample *s)
{
    if (s->is_module) {
        return;
    }
    s->connection_string = getenv("IOTHUB_DEVICE_CONNECTION_STRING");
    if (needs_string(s) && (s->connection_string == NULL || *s->connection_string == '\0')) {
        (void)sample_fail("IOTHUB_DEVICE_CONNECTION_STRING is not set; it is the connection string "
                          "of the device");
        exit(CLI_EXIT_USAGE);
    }
    s->options.ca_file = getenv("IOTHUB_CA_FILE");
    if (s->options.ca_file != NULL && !cli_may_show(s->options.ca_file) &&
        /* The client's own error text would show the secret. */
        access(s->options.ca_file, R_OK) != 0) {
        exit(cli_error("IOTHUB_CA_FILE is not the name of a file: %s", strerror(errno)));
    }
}

enum { COMMON_OPTIONS = 3, STORE_OPTIONS = 2, DEVICES_OPTIONS = 2, CACHE_OPTIONS = 1 };

/* Keeps the options of this sample: the common ones, and one group of the others. */
static void keep_options(const sample *s, struct argp_option *options)
{
    const struct argp_option end = { 0 };
    struct argp_option *group = options + COMMON_OPTIONS;
    size_t count = 0;

    if (s->store != NULL) {
        count = STORE_OPTIONS;
    } else if (s->devices != NULL) {
        group += STORE_OPTIONS;
        count = DEVICES_OPTIONS;
    } else if (s->cache != NULL) {
        group += STORE_OPTIONS + DEVICES_OPTIONS;
        count = CACHE_OPTIONS;
    }
    memmove(options + COMMON_OPTIONS, group, count * sizeof *group);
    options[COMMON_OPTIONS + count] = end;
}

/* The part of --help that says where the identity comes from. */
static const char *environment_of(const sample *s)
{
    if (s->is_module) {
        return "  IOTEDGE_...                      set by IoT Edge; or, for tests:\n"
               "  EdgeHubConnectionString          the module\n"
               "  EdgeModuleCACertificateFile      PEM file with the roots to trust\n";
    }
    return needs_string(s) ? "  IOTHUB_DEVICE_CONNECTION_STRING  the device (required)\n" : "";
}

/* The emulator serves WebSocket on the port of its REST API, as a hub does on 443. */
static void choose_port(sample *s)
{
    const char *name = s->options.transport == IOTHUB_MQTT_WS ? "IOTHUB_REST_PORT" : "IOTHUB_PORT";

    if ((s->options.port == 0 && !cli_port_of(name, 0, &s->options.port)) ||
        !cli_port_of("IOTHUB_REST_PORT", 0, &s->options.websocket_port)) {
        exit(CLI_EXIT_USAGE);
    }
}

void sample_init(sample *s, int argc, char **argv, const char *what_it_does)
{
    struct argp_option options[] = {
        { "port", 'p', "PORT", 0,
          "Port of the hub (IOTHUB_PORT, or 8883; over WebSocket IOTHUB_REST_PORT, or 443)", 0 },
        { "count", 'n', "N", 0, "Number of messages, calls or changes before the end", 0 },
        { "duration", 'd', "SECONDS", 0, "Longest run time", 0 },
        { "store", 's', "FILE", 0, "File in which messages wait (telemetry.db)", 0 },
        { "first", 'f', "N", 0, "Number of the first message (1)", 0 },
        { "devices", 'D', "FILE", 0, "A connection string on each line (devices.txt)", 0 },
        { "interval", 'i', "SECONDS", 0, "Time between two messages of a device (10)", 0 },
        { "cache", 'c', "DIRECTORY", 0, "Where the hub is remembered for the next run", 0 },
        { 0 },
    };
    char doc[800];
    const struct argp argp = { options, parse_option, NULL, doc, NULL, NULL, NULL };
    struct sigaction action = { .sa_handler = on_signal };

    snprintf(doc, sizeof doc,
             "%s\vEnvironment:\n"
             "%s%s"
             "  IOTHUB_PORT, IOTHUB_REST_PORT    as --port%s",
             what_it_does, environment_of(s), sample_network_help,
             s->is_module ? ""
                          : "\n  IOTHUB_CA_FILE                   PEM file with the roots to "
                            "trust, for the emulator");
    keep_options(s, options);
    s->first = 1;
    iothub_options_init(&s->options);
    cli_begin();
    cli_parse(&argp, argc, argv, 0, s);
    sample_network(&s->options);
    choose_port(s);
    read_environment(s);
    s->options.callbacks.status = on_status;
    s->options.user = s;
    s->began_ms = s->options.platform->clock->monotonic_ms(s->options.platform->clock);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0); /* print each line when it is complete, also into a pipe */
}

plat_identity *sample_identity(const sample *s)
{
    const plat_identities *identities = s->options.platform->identities;
    const plat_identity_config config = {
        .chain = { .file = getenv("IOTHUB_X509_CERTIFICATE_FILE") },
        .key = { .file = getenv("IOTHUB_X509_KEY_FILE") },
    };
    plat_identity_fault fault;
    plat_identity *identity;

    if (config.chain.file == NULL) {
        return NULL;
    }
    if (identities->make(identities, &config, &identity, &fault) != PLAT_OK) {
        exit(sample_fail(fault.text));
    }
    return identity;
}

bool sample_goes_on(const sample *s)
{
    const plat_clock *clock = s->options.platform->clock;
    uint64_t passed_ms = clock->monotonic_ms(clock) - s->began_ms;

    return !interrupted && !s->failed && passed_ms < (uint64_t)s->duration_s * 1000;
}

int sample_fail(const char *why)
{
    return cli_error("%s", why);
}

void sample_print(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) >= 0) {
        cli_puts(stdout, text);
        putchar('\n');
        free(text);
    }
    va_end(args);
}

uint32_t sample_grace_ms(const sample *s)
{
    return s->was_connected ? 1000 : 0;
}

void sample_stop(const sample *s, iothub_client *c)
{
    (void)iothub_stop(c, sample_grace_ms(s));
    while (iothub_get_state(c) != IOTHUB_STOPPED) {
        (void)iothub_wait(c, 1000);
    }
}

int sample_exit_status(const sample *s, bool done)
{
    if (s->failed) {
        return 1; /* the failure was reported when it happened */
    }
    return done || interrupted ? 0 : sample_fail("--duration ended before --count was reached");
}
