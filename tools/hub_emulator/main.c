/* hub_emulator: a local IoT Hub in one command. */

#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "broker.h"
#include "certificates.h"
#include "cli/args.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/secret.h"
#include "registry.h"
#include "state_dir.h"

#define HOST            "localhost"
#define FREE_PORT_TRIES 10

typedef struct options {
    uint16_t port;
    uint16_t rest_port;
    const char *state;
    const char *mosquitto;
    const char **devices;
    size_t device_count;
    bool verbose;
} options;

/* --- command line ------------------------------------------------------ */

static const char help_before[] =
    "A local Azure IoT Hub: MQTT over TLS for devices, HTTPS for services.\n"
    "It prints how to connect, one NAME=VALUE a line, then READY, and serves until it is told to "
    "stop (Ctrl-C or SIGTERM).";

static const char help_after[] =
    "The same lines are in the file `env' of the state directory, for a shell to read:\n"
    "  hub_emulator --state ~/.hub &\n"
    "  . ~/.hub/env\n"
    "Devices need IOTHUB_DEVICE_CONNECTION_STRING, IOTHUB_PORT and IOTHUB_CA_FILE; services "
    "IOTHUB_CONNECTION_STRING, IOTHUB_REST_PORT and IOTHUB_CA_FILE.\n"
    "\n"
    "It listens on the loopback addresses only. Exit status: 0 stopped as asked, 1 failure, 2 "
    "wrong usage.";

enum { OPT_REST_PORT = 256, OPT_MOSQUITTO };

static const struct argp_option option_table[] = {
    { "port", 'p', "PORT", 0, "MQTT over TLS (default 8883; 0: any that is free)", 0 },
    { "rest-port", OPT_REST_PORT, "PORT", 0, "HTTPS (default 8443; 0: any that is free)", 0 },
    { "state", 's', "DIR", 0,
      "Keep keys, certificates, twins and waiting messages here (default: a private directory "
      "that goes away with the emulator)",
      0 },
    { "device", 'd', "ID", 0,
      "Register this device if it is not there yet; may be repeated (default: device1)", 0 },
    { "verbose", 'v', NULL, 0, "Say on standard error what clients do and why they are refused",
      0 },
    { "mosquitto", OPT_MOSQUITTO, "FILE", 0, "The broker to run (default: PATH and /usr/sbin)", 0 },
    { 0 },
};

/* What was not understood is not repeated: it may be a key. */
static uint16_t parse_port(const struct argp_state *state, const char *name, const char *text)
{
    uint64_t n;

    if (!cli_number(text, 0, 65535, &n)) {
        cli_usage(state, "--%s is not a port: a number from 0 to 65535", name);
    }
    return (uint16_t)n;
}

static const char *parse_path(const struct argp_state *state, const char *name, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            cli_usage(state, "--%s has control characters", name);
        }
    }
    if (*text == '\0') {
        cli_usage(state, "--%s is empty", name);
    }
    return text;
}

/* id without white space around it, cut in place. */
static const char *trimmed(char *id)
{
    size_t len = strlen(id);

    while (len > 0 && isspace((unsigned char)id[len - 1])) {
        id[--len] = '\0';
    }
    return id + strspn(id, " \t\r\n\v\f");
}

static void add_device(options *o, const char *id, const struct argp_state *state)
{
    if (!hub_id_valid(id) || !hub_id_fits_mqtt(id)) {
        cli_usage(state, "--device is not a device id that MQTT can carry: 1 to 128 letters, "
                         "digits and -.%%_*?!(),=@$':");
    }
    o->devices = hub_realloc(o->devices, (o->device_count + 1) * sizeof *o->devices);
    o->devices[o->device_count++] = id;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    options *o = state->input;

    switch (key) {
    case 'p': o->port = parse_port(state, "port", argument); return 0;
    case OPT_REST_PORT: o->rest_port = parse_port(state, "rest-port", argument); return 0;
    case 's': o->state = parse_path(state, "state", argument); return 0;
    case 'd': add_device(o, trimmed(argument), state); return 0;
    case 'v': o->verbose = true; return 0;
    case OPT_MOSQUITTO: o->mosquitto = parse_path(state, "mosquitto", argument); return 0;
    case ARGP_KEY_ARG: cli_usage(state, "no arguments are needed");
    case ARGP_KEY_END:
        if (o->port != 0 && o->port == o->rest_port) {
            cli_usage(state, "--port and --rest-port are the same");
        }
        if (o->device_count == 0) {
            add_device(o, "device1", state);
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* --- one run ----------------------------------------------------------- */

typedef struct emulator {
    const options *options;
    hub_state_dir state;
    hub_registry registry; /* closed once the plugin takes over */
    hub_sockets rest;
    hub_broker_process broker;
    uint16_t port;
    bool ipv6;
    int signals;
    hub_text lines; /* what to print */
    hub_text env;   /* the same for a shell */
} emulator;

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool may_show(const char *path)
{
    return path == NULL || cli_may_show(path);
}

static void complain(const options *o, hub_fault *fault)
{
    if (!may_show(o->state) || !may_show(o->mosquitto)) {
        cli_redact(fault->text); /* somebody took a key for a name */
    }
    (void)cli_error("%s", fault->text);
}

static void notice(void *user, const char *line)
{
    (void)user;
    (void)cli_error("%s", line);
}

/* nohup means what it says: a SIGHUP that was ignored stays so. */
static int watch_signals(void)
{
    struct sigaction hangup;
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) {
        (void)sigaddset(&set, SIGHUP);
    }
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static hub_result register_devices(emulator *e, hub_fault *fault)
{
    for (size_t i = 0; i < e->options->device_count; i++) {
        const char *id = e->options->devices[i];
        hub_identity *made;
        if (hub_registry_find(&e->registry, id, NULL) != NULL) {
            continue;
        }
        hub_result r = hub_registry_create(&e->registry, id, NULL, NULL, now_ms(), &made, fault);
        if (r != HUB_OK) {
            return r;
        }
    }
    return HUB_OK;
}

/* Values hold no single quote but the path may: close, escape, open. */
static void add_line(emulator *e, const char *name, const char *value)
{
    hub_text_printf(&e->lines, "%s=%s\n", name, value);
    hub_text_printf(&e->env, "export %s='", name);
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '\'') {
            hub_text_str(&e->env, "'\\''");
        } else {
            hub_text_add(&e->env, p, 1);
        }
    }
    hub_text_str(&e->env, "'\n");
}

static void add_devices(emulator *e)
{
    for (size_t i = 0; i < e->options->device_count; i++) {
        const hub_identity *id = hub_registry_find(&e->registry, e->options->devices[i], NULL);
        char *text = hub_identity_connection_string(id, HOST);
        char *name = i == 0 ? hub_strdup("IOTHUB_DEVICE_CONNECTION_STRING")
                            : hub_format("IOTHUB_DEVICE_CONNECTION_STRING_%zu", i + 1);
        add_line(e, name, text);
        free(name);
        free(text);
    }
}

static void add_number(emulator *e, const char *name, unsigned number)
{
    char *text = hub_format("%u", number);
    add_line(e, name, text);
    free(text);
}

static hub_result prepare(emulator *e, hub_fault *fault)
{
    hub_result r = hub_registry_open(&e->registry, e->state.path, notice, NULL, fault);
    if (r != HUB_OK) {
        return r;
    }
    r = hub_certificates_ensure(&e->registry.store, now_ms() / 1000, fault);
    if (r == HUB_OK) {
        r = register_devices(e, fault);
    }
    if (r == HUB_OK) {
        char *service = hub_registry_connection_string(&e->registry, HOST);
        char *ca = hub_store_path(&e->registry.store, HUB_CA_FILE);
        add_devices(e);
        add_line(e, "IOTHUB_CONNECTION_STRING", service);
        add_line(e, "IOTHUB_CA_FILE", ca);
        free(service);
        free(ca);
    }
    hub_registry_close(&e->registry);
    return r;
}

typedef enum event { EVENT_READY, EVENT_BROKER_GONE, EVENT_STOP } event;

static event wait_for_event(emulator *e)
{
    struct pollfd polls[] = {
        { .fd = e->signals, .events = POLLIN },
        { .fd = e->broker.ready_fd, .events = POLLIN },
    };
    struct signalfd_siginfo info;

    for (;;) {
        (void)poll(polls, 2, -1);
        if (polls[0].revents != 0) {
            if (read(e->signals, &info, sizeof info) == (ssize_t)sizeof info) {
                return info.ssi_signo == SIGCHLD ? EVENT_BROKER_GONE : EVENT_STOP;
            }
        } else if (polls[1].revents != 0) {
            return hub_broker_said_ready(&e->broker) ? EVENT_READY : EVENT_BROKER_GONE;
        }
    }
}

static hub_result choose_port(emulator *e, hub_fault *fault)
{
    hub_sockets probe;

    hub_result r = hub_sockets_open(&probe, e->options->port, "--port", fault);
    if (r == HUB_OK) {
        e->port = probe.port;
        e->ipv6 = probe.v6 >= 0;
        hub_sockets_close(&probe);
    }
    return r;
}

static hub_result broker_failed(emulator *e, hub_fault *fault)
{
    hub_broker_stop(&e->broker);
    char *why = hub_broker_last_error(&e->broker);
    (void)hub_fail(fault, HUB_ERR_STATE, "mosquitto: %s", why);
    free(why);
    return HUB_ERR_STATE;
}

/* Start the broker until it is ready.  *stop: asked to stop meanwhile. */
static hub_result start_broker(emulator *e, bool *stop, hub_fault *fault)
{
    /* A free port may be taken before the broker gets it. */
    int tries = e->options->port == 0 ? FREE_PORT_TRIES : 1;
    hub_result r = HUB_ERR_STATE;

    *stop = false;
    while (r != HUB_OK && tries-- > 0) {
        r = choose_port(e, fault);
        if (r != HUB_OK) {
            return r;
        }
        const hub_broker_setup setup = {
            .mosquitto = e->options->mosquitto,
            .state_dir = e->state.path,
            .port = e->port,
            .ipv6 = e->ipv6,
            .rest = &e->rest,
            .verbose = e->options->verbose,
        };
        r = hub_broker_start(&e->broker, &setup, fault);
        if (r != HUB_OK) {
            return r;
        }
        event what = wait_for_event(e);
        *stop = what == EVENT_STOP;
        if (what == EVENT_BROKER_GONE) {
            r = broker_failed(e, fault);
            (void)close(e->broker.log_fd);
        }
    }
    return r;
}

static hub_result announce(emulator *e, hub_fault *fault)
{
    hub_store store;

    add_number(e, "IOTHUB_PORT", e->port);
    add_number(e, "IOTHUB_REST_PORT", e->rest.port);
    hub_store_open(&store, e->state.path);
    hub_result r = hub_store_write(&store, "env", e->env.p, e->env.len, fault);
    hub_store_close(&store);
    if (r != HUB_OK) {
        return r;
    }
    (void)cli_error("for a shell: . %s/env", e->state.path);
    (void)printf("%sREADY\n", e->lines.p);
    if (cli_finish() != EXIT_SUCCESS) {
        return hub_fail(fault, HUB_ERR_STATE, "nobody can read how to connect");
    }
    return HUB_OK;
}

static hub_result serve(emulator *e, hub_fault *fault)
{
    bool stop = false;

    hub_result r = prepare(e, fault);
    if (r == HUB_OK) {
        r = hub_sockets_open(&e->rest, e->options->rest_port, "--rest-port", fault);
    }
    if (r == HUB_OK) {
        r = start_broker(e, &stop, fault);
    }
    if (r != HUB_OK || stop) {
        return r;
    }
    r = announce(e, fault);
    if (r == HUB_OK && wait_for_event(e) == EVENT_BROKER_GONE) {
        r = broker_failed(e, fault);
    }
    return r;
}

static int run(const options *o)
{
    emulator e = {
        .options = o,
        .rest = { .v4 = -1, .v6 = -1 },
        .broker = { .pid = -1, .ready_fd = -1, .log_fd = -1 },
        .signals = watch_signals(),
    };
    hub_fault fault;

    hub_json_init();
    hub_result r = hub_state_dir_open(&e.state, o->state, &fault);
    if (r == HUB_OK) {
        r = serve(&e, &fault);
        hub_broker_stop(&e.broker);
        hub_sockets_close(&e.rest);
        hub_state_dir_close(&e.state);
    }
    if (r != HUB_OK) {
        complain(o, &fault);
    }
    hub_text_free(&e.lines);
    hub_text_free(&e.env);
    return r == HUB_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse_option,
        .doc = NULL,
    };
    struct argp with_doc = argp;
    options o = { .port = 8883, .rest_port = 8443 };
    char *doc = hub_format("%s\v%s", help_before, help_after);

    with_doc.doc = doc;
    cli_begin();
    cli_parse(&with_doc, argc, argv, 0, &o);
    int status = run(&o);
    free(o.devices);
    free(doc);
    return status;
}
