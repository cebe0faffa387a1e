/* hub_emulator: a local IoT Hub in one command. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "broker/sessions.h"
#include "cli/output.h"
#include "cli/secret.h"
#include "front/envelope.h"
#include "front/front.h"
#include "launcher/amqp_server.h"
#include "launcher/broker_process.h"
#include "launcher/certificates.h"
#include "launcher/host.h"
#include "launcher/options.h"
#include "launcher/provisioning.h"
#include "registry/registry.h"
#include "state/state_dir.h"

#define ENV_FILE  "env"
#define AMQP_PORT 5671

/* --- one run ----------------------------------------------------------- */

typedef struct emulator {
    const hub_options *options;
    hub_state_dir state;
    hub_registry registry; /* freed when the plugin takes over */
    hub_broker_process broker;
    hub_front *front;
    char *front_secret;
    int notes_fd;          /* the broker's end of the socket to the front */
    int calls_fd;          /* the broker's end of the socket for connections of the HTTPS port */
    hub_amqp_server *amqp; /* NULL: AMQP clients get no answer */
    uint16_t port;
    uint16_t https_port;
    uint16_t amqp_port;
    int signals;
    hub_text lines; /* lines to print */
    hub_text env;   /* the same lines in the form that a shell reads */
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

static void complain(const hub_options *o, hub_fault *fault)
{
    if (!may_show(o->state) || !may_show(o->mosquitto)) {
        cli_redact(fault->text); /* a key may have been given in place of a name */
    }
    (void)cli_error("%s", fault->text);
}

static void notice(void *user, const char *line)
{
    (void)user;
    (void)cli_error("%s", line);
}

/* Raises the limit of descriptors: a client of the front needs two, and one more in the broker. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* If SIGHUP is ignored, as with nohup, it stays ignored. */
static int watch_signals(void)
{
    struct sigaction hangup;
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ,
                 /* Ignored, also in the broker, so that a file that cannot grow leads to an answer
                  * of 500. */
                 SIG_IGN);
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

static char *read_text(const char *path)
{
    gnutls_datum_t data = { 0 };

    if (gnutls_load_file(path, &data) < 0) {
        return NULL;
    }
    char *text = hub_memdup(data.data, data.size);
    gnutls_free(data.data);
    return text;
}

static hub_result add_authority(emulator *e, const char *path, hub_fault *fault)
{
    const hub_certificate *ca;
    char *text = read_text(path);

    if (text == NULL) {
        return hub_fail(fault, HUB_ERR_STATE, "--ca: %.150s cannot be read", path);
    }
    hub_result r =
        hub_authorities_add(&e->registry.authorities, &e->registry.store, text, &ca, fault);
    free(text);
    if (r != HUB_OK) {
        const hub_fault why = *fault;
        return hub_fail(fault, r, "--ca: %.200s", why.text);
    }
    return r;
}

static hub_result register_x509(emulator *e, hub_fault *fault)
{
    const hub_options *o = e->options;
    hub_result r = HUB_OK;

    for (size_t i = 0; r == HUB_OK && i < o->ca_count; i++) {
        r = add_authority(e, o->ca_files[i], fault);
    }
    for (size_t i = 0; r == HUB_OK && i < o->x509_count; i++) {
        r = hub_device_certificate_ensure(&e->registry, &o->x509_devices[i], now_ms(), fault);
    }
    return r;
}

/* The values contain no single quote, but the path may. It is written as close quote, escaped
 * quote, open quote. */
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

static void add_variable(void *user, const char *name, const char *value)
{
    add_line(user, name, value);
}

static void add_numbered(emulator *e, const char *name, size_t i, const char *value)
{
    char *numbered = i == 0 ? hub_strdup(name) : hub_format("%s_%zu", name, i + 1);

    add_line(e, numbered, value);
    free(numbered);
}

static void add_devices(emulator *e)
{
    for (size_t i = 0; i < e->options->device_count; i++) {
        const hub_identity *id = hub_registry_find(&e->registry, e->options->devices[i], NULL);
        char *text = hub_identity_connection_string(id, e->options->host);
        add_numbered(e, "IOTHUB_DEVICE_CONNECTION_STRING", i, text);
        free(text);
    }
}

static void add_x509(emulator *e)
{
    for (size_t i = 0; i < e->options->x509_count; i++) {
        const char *id = e->options->x509_devices[i].id;
        char *text = hub_identity_connection_string(hub_registry_find(&e->registry, id, NULL),
                                                    e->options->host);
        char *crt = hub_device_certificate_path(&e->registry.store, id, "crt");
        char *key = hub_device_certificate_path(&e->registry.store, id, "key");
        add_numbered(e, "IOTHUB_X509_CONNECTION_STRING", i, text);
        add_numbered(e, "IOTHUB_X509_CERTIFICATE_FILE", i, crt);
        add_numbered(e, "IOTHUB_X509_KEY_FILE", i, key);
        free(text);
        free(crt);
        free(key);
    }
}

static void add_number(emulator *e, const char *name, unsigned number)
{
    char *text = hub_format("%u", number);
    add_line(e, name, text);
    free(text);
}

static void forget_env(const emulator *e)
{
    char *path = hub_format("%s/" ENV_FILE, e->state.path);
    (void)unlink(path);
    free(path);
}

/* The certificate contains every name that a client may use for the hub. */
static hub_result make_certificates(emulator *e, hub_fault *fault)
{
    const char *names[] = { e->options->host, hub_addresses_one(&e->options->listen),
                            e->options->listen.v6 };

    const hub_certificates_plan plan = {
        .kind = e->options->server_key,
        .names = names,
        .count = sizeof names / sizeof names[0],
    };

    return hub_certificates_ensure(&e->registry.store, &plan, now_ms() / 1000, fault);
}

static hub_result prepare(emulator *e, hub_fault *fault)
{
    forget_env(e); /* written again when the hub is ready, with the ports of this run */
    hub_result r = hub_registry_open(&e->registry, e->state.path, notice, NULL, fault);
    if (r != HUB_OK) {
        return r;
    }
    r = make_certificates(e, fault);
    if (r == HUB_OK) {
        r = register_devices(e, fault);
    }
    if (r == HUB_OK) {
        r = register_x509(e, fault);
    }
    if (r == HUB_OK) {
        char *service = hub_policies_connection_string(&e->registry.policies, e->options->host);
        char *ca = hub_store_path(&e->registry.store, HUB_CA_FILE);
        add_devices(e);
        add_x509(e);
        add_line(e, "IOTHUB_CONNECTION_STRING", service);
        add_line(e, "IOTHUB_CA_FILE", ca);
        free(service);
        free(ca);
    }
    if (r == HUB_OK && e->options->dps) {
        r = hub_provisioning_prepare(&e->registry, e->options, now_ms(), add_variable, e, fault);
    }
    hub_registry_close(&e->registry);
    return r;
}

typedef enum event { EVENT_READY, EVENT_BROKER_GONE, EVENT_STOP } event;

/* Waits for signals and for the broker, and serves AMQP clients. */
static event wait_for_event(emulator *e)
{
    struct pollfd polls[2 + HUB_AMQP_POLLS_MAX] = {
        { .fd = e->signals, .events = POLLIN },
    };
    struct signalfd_siginfo info;

    for (;;) {
        polls[1] = (struct pollfd){ .fd = e->broker.ready_fd, .events = POLLIN };
        size_t more = hub_amqp_polls(e->amqp, polls + 2);
        (void)poll(polls, (nfds_t)(2 + more), hub_amqp_timeout(e->amqp));
        if (polls[0].revents != 0) {
            if (read(e->signals, &info, sizeof info) == (ssize_t)sizeof info) {
                return info.ssi_signo == SIGCHLD ? EVENT_BROKER_GONE : EVENT_STOP;
            }
        } else if (polls[1].revents != 0) {
            return hub_broker_said_ready(&e->broker) ? EVENT_READY : EVENT_BROKER_GONE;
        }
        hub_amqp_run(e->amqp);
    }
}

static void log_front(void *user, const char *line)
{
    (void)user;
    (void)cli_error("front: %s", line);
}

/* Closes the broker's ends of the sockets. */
static void close_sockets(emulator *e)
{
    if (e->notes_fd >= 0) {
        (void)close(e->notes_fd);
    }
    if (e->calls_fd >= 0) {
        (void)close(e->calls_fd);
    }
    e->notes_fd = -1;
    e->calls_fd = -1;
}

/* The sockets of the front before it starts. */
typedef struct front_sockets {
    hub_sockets mqtts;
    hub_sockets https;
    int notes[2]; /* the end of the front, and that of the broker */
    int calls[2];
} front_sockets;

static hub_result open_sockets(front_sockets *s, const hub_options *o, hub_fault *fault)
{
    hub_result r = hub_sockets_open(&s->mqtts, &o->listen, o->port, "--port", fault);

    if (r == HUB_OK) {
        r = hub_sockets_open(&s->https, &o->listen, o->https_port, "--https-port", fault);
    }
    if (r == HUB_OK && (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s->notes) != 0 ||
                        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s->calls) != 0)) {
        r = hub_fail(fault, HUB_ERR_STATE, "socketpair: %s", strerror(errno));
    }
    return r;
}

/* From here on clients may connect; they wait until the broker is ready. After a failure the
 * program ends, which closes the sockets. */
static hub_result start_front(emulator *e, hub_fault *fault)
{
    front_sockets s;

    hub_result r = open_sockets(&s, e->options, fault);
    if (r != HUB_OK) {
        return r;
    }
    e->front_secret = hub_envelope_secret();
    const hub_front_config config = {
        .listening = { [HUB_FRONT_MQTTS] = { s.mqtts.v4, s.mqtts.v6 },
                       [HUB_FRONT_HTTPS] = { s.https.v4, s.https.v6 } },
        .state_dir = e->state.path,
        .broker_name = HUB_SESSIONS_SOCKET,
        .secret = e->front_secret,
        .notes = s.notes[0],
        .calls = s.calls[0],
        .timing = HUB_FRONT_TIMING,
        .log = e->options->verbose ? log_front : NULL,
    };
    e->notes_fd = s.notes[1];
    e->calls_fd = s.calls[1];
    e->port = s.mqtts.port;
    e->https_port = s.https.port;
    return hub_front_start(&e->front, &config, fault);
}

static hub_result broker_failed(emulator *e, hub_fault *fault)
{
    hub_broker_stop(&e->broker);
    char *why = hub_broker_last_error(&e->broker);
    (void)hub_fail(fault, HUB_ERR_STATE, "mosquitto: %s", why);
    free(why);
    return HUB_ERR_STATE;
}

/* Starts the broker and waits until it is ready. *stop is set if a signal to stop arrived
 * meanwhile. */
static hub_result start_broker(emulator *e, bool *stop, hub_fault *fault)
{
    const hub_broker_setup setup = {
        .mosquitto = e->options->mosquitto,
        .state_dir = e->state.path,
        .front_secret = e->front_secret,
        .notes_fd = e->notes_fd,
        .calls_fd = e->calls_fd,
        .verbose = e->options->verbose,
        .dps_host = e->options->dps ? e->options->host : NULL,
        .dps_assigning = e->options->dps_assigning,
        .dps_retry_after_s = e->options->dps_retry_after_s,
        .certificate_life_s = e->options->certificate_life_s,
    };

    *stop = false;
    hub_result r = hub_broker_start(&e->broker, &setup, fault);
    close_sockets(e); /* the broker has inherited them */
    if (r != HUB_OK) {
        return r;
    }
    event what = wait_for_event(e);
    *stop = what == EVENT_STOP;
    return what == EVENT_BROKER_GONE ? broker_failed(e, fault) : HUB_OK;
}

/* Prints what people should know before they connect. */
static void advise(const emulator *e)
{
    const hub_options *o = e->options;

    if (!hub_addresses_are_private(&o->listen)) {
        (void)cli_error("warning: anyone who can reach this machine can use this hub, which is "
                        "made for tests");
        if (strcmp(o->host, "localhost") == 0) {
            (void)cli_error("the connection strings work on this machine only; for others give "
                            "--host");
        }
    }
    if (o->host_given && !hub_host_leads_here(o->host, &o->listen)) {
        (void)cli_error("%s does not resolve to this machine; add this line to /etc/hosts: %s %s",
                        o->host, hub_addresses_one(&o->listen), o->host);
    }
}

/* The file has the same lines as standard output. If the disk is full, the emulator runs without
 * it, and removes the file of an earlier run, whose ports may differ. */
static void write_env(const emulator *e)
{
    hub_store store;
    hub_fault fault;

    hub_store_open(&store, e->state.path, notice, NULL);
    if (hub_store_write(&store, ENV_FILE, e->env.p, e->env.len, &fault) == HUB_OK) {
        (void)cli_error("to set the variables in a shell: . %s/" ENV_FILE, e->state.path);
    } else {
        (void)hub_store_remove(&store, ENV_FILE, &fault);
    }
    hub_store_close(&store);
}

/* A failure prevents the start only if the port was requested explicitly. */
static hub_result start_amqp(emulator *e, hub_fault *fault)
{
    const hub_options *o = e->options;
    const bool asked = o->amqp_port >= 0;
    const uint16_t port = asked ? (uint16_t)o->amqp_port : AMQP_PORT;
    hub_sockets sockets;
    hub_store store;

    if (!asked && o->port == 0) {
        return HUB_OK;
    }
    hub_result r = hub_sockets_open(&sockets, &o->listen, port, "--amqp-port", fault);
    if (r != HUB_OK && !asked) {
        (void)cli_error("AMQP clients get no answer: %s", fault->text);
        return HUB_OK;
    }
    if (r != HUB_OK) {
        return r;
    }
    hub_store_open(&store, e->state.path, NULL, NULL);
    r = hub_amqp_start(&e->amqp, &sockets, &store, fault);
    hub_store_close(&store);
    if (r != HUB_OK) {
        hub_sockets_close(&sockets);
        return r;
    }
    e->amqp_port = sockets.port;
    return HUB_OK;
}

static hub_result announce(emulator *e, hub_fault *fault)
{
    add_number(e, "IOTHUB_PORT", e->port);
    add_number(e, "IOTHUB_REST_PORT", e->https_port);
    if (e->amqp != NULL) {
        add_number(e, "IOTHUB_AMQP_PORT", e->amqp_port);
    }
    write_env(e);
    advise(e);
    (void)printf("%sREADY\n", e->lines.p);
    if (cli_finish() != EXIT_SUCCESS) {
        return hub_fail(fault, HUB_ERR_STATE, "standard output cannot be written");
    }
    return HUB_OK;
}

static hub_result serve(emulator *e, hub_fault *fault)
{
    bool stop = false;

    hub_result r = prepare(e, fault);
    if (r == HUB_OK) {
        r = start_amqp(e, fault);
    }
    if (r == HUB_OK) {
        r = start_front(e, fault);
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

static int run(const hub_options *o)
{
    emulator e = {
        .options = o,
        .broker = { .pid = -1, .ready_fd = -1, .log_fd = -1 },
        .notes_fd = -1,
        .calls_fd = -1,
        .signals = watch_signals(),
    };
    hub_fault fault;

    hub_json_init();
    raise_limits();
    hub_result r = hub_state_dir_open(&e.state, o->state, &fault);
    if (r == HUB_OK) {
        r = serve(&e, &fault);
        hub_broker_stop(&e.broker); /* first, so that no Will of a device is sent */
        hub_front_stop(e.front);
        close_sockets(&e);
        hub_amqp_stop(e.amqp);
        hub_state_dir_close(&e.state);
    }
    if (r != HUB_OK) {
        complain(o, &fault);
    }
    hub_text_free(&e.lines);
    hub_text_free(&e.env);
    free(e.front_secret);
    return r == HUB_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    hub_options o;

    cli_begin();
    hub_options_read(&o, argc, argv);
    int status = run(&o);
    hub_options_free(&o);
    return status;
}
