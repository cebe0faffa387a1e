/* The plugin that Mosquitto loads. It turns callbacks of the broker into calls of the hub, and
 * is the only file that knows Mosquitto. The broker has one thread, on which all of this runs. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "broker/broker_log.h"
#include "broker/sessions.h"
#include "cli/output.h"
#include "front/envelope.h"
#include "hub/hub_c2d.h"
#include "hub/hub_clients.h"
#include "hub/hub_orders.h"
#include "server/rest_server.h"

#define MQTT_3_1_1 4
#define LOG_MS     50 /* interval at which the log of the broker is read */
#define EXPORTED   __attribute__((visibility("default")))

typedef struct plugin {
    mosquitto_plugin_id_t *identifier;
    hub hub;
    rest_server *rest;
    hub_sessions sessions;
    int ready_fd; /* reports at the first tick that the broker is ready */
    int log_fd;   /* -1: nobody wants to read it */
    int notice_fd;
    char *front_secret; /* the secret in the envelopes of the front */
    int notes_fd;       /* socket to the front */
    int64_t logged_ms;  /* when the log of the broker was read last, monotonic */
} plugin;

static plugin self;

/* --- what the hub wants from the broker -------------------------------- */

static void broker_publish(void *user, const char *client_id, const char *topic,
                           const void *payload, size_t len, int qos)
{
    (void)user;
    (void)mosquitto_broker_publish_copy(client_id, topic, (int)len, payload, qos, false, NULL);
}

static void broker_drop(void *user, const char *client_id)
{
    (void)user;
    (void)mosquitto_kick_client_by_clientid(client_id, true);
}

/* Writes a line for people with a single write. Clients choose the names and topics in it. */
static void show(int fd, const char *from, const char *line)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (f == NULL) {
        return;
    }
    (void)fputs(from, f);
    cli_puts(f, line);
    (void)fputc('\n', f);
    if (fclose(f) == 0) {
        (void)!write(fd, text, len);
    }
    free(text);
}

static void broker_end_session(void *user, const char *client_id)
{
    (void)user;
    hub_sessions_end(&self.sessions, client_id);
}

static void broker_log(void *user, const char *line)
{
    (void)user;
    if (self.log_fd >= 0) {
        show(self.log_fd, "hub: ", line);
    }
}

static void broker_notice(void *user, const char *line)
{
    (void)user;
    if (self.notice_fd >= 0) {
        (void)dprintf(self.notice_fd, "hub_emulator: %s\n", line);
    }
}

/* The socket is never full, because it holds far more notes than the front leaves unread. */
static void send_note(void *user, const hub_note *note)
{
    (void)user;
    (void)send(self.notes_fd, note, sizeof *note, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static hub_clock broker_now(void *user)
{
    (void)user;
    return (hub_clock){ .wall_ms = read_clock(CLOCK_REALTIME),
                        .up_ms = read_clock(CLOCK_MONOTONIC) };
}

/* --- the broker's log -------------------------------------------------- */

static void take_line(void *user, const char *line)
{
    const plugin *p = user;

    if (p->log_fd >= 0) {
        show(p->log_fd, "mosquitto: ", line);
    }
}

/* --- the front --------------------------------------------------------- */

static void take_message(plugin *p, const hub_note *m)
{
    const char *client_id = hub_client_of(&p->hub, m->number);

    if (client_id == NULL) {
        return; /* the note belongs to a connection that another one has replaced */
    }
    if (m->kind == HUB_NOTE_SENT) {
        hub_c2d_on_wire(&p->hub, client_id, (uint16_t)m->value);
    } else if (m->kind == HUB_NOTE_ACKNOWLEDGED) {
        hub_c2d_on_ack(&p->hub, client_id, (uint16_t)m->value);
    }
}

static void take_notes(plugin *p)
{
    hub_note m;

    while (recv(p->notes_fd, &m, sizeof m, MSG_DONTWAIT) == (ssize_t)sizeof m) {
        take_message(p, &m);
    }
}

static void read_log(plugin *p)
{
    hub_broker_log_drain(STDERR_FILENO, take_line, p);
    p->logged_ms = read_clock(CLOCK_MONOTONIC);
}

/* Handles everything that has happened on the connections up to now. */
static void catch_up(plugin *p)
{
    take_notes(p);
    read_log(p);
}

/* --- callbacks --------------------------------------------------------- */

/* Mosquitto always answers with code 5, which the front changes. */
static hub_result refuse_login(const plugin *p, uint64_t number, hub_fault *fault)
{
    hub_order(&p->hub, number, HUB_NOTE_REFUSED, p->hub.refuse_code);
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "on request, with code %u of a CONNACK",
                    p->hub.refuse_code);
}

/* Opens the envelope of the front. A client that reaches the broker in another way has none, and
 * is refused. */
static hub_result log_in(plugin *p, const struct mosquitto_evt_basic_auth *e, hub_fault *fault)
{
    hub_client_chain chain;
    hub_envelope envelope;

    if (e->password == NULL || !hub_envelope_read(&envelope, e->password, p->front_secret)) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "no user name, or not from the TLS front");
    }
    if (hub_login_is_refused(&p->hub)) {
        return refuse_login(p, envelope.number, fault);
    }
    hub_result r = hub_client_chain_read(&chain, envelope.chain, envelope.chain_len, fault);
    if (r != HUB_OK) {
        return r;
    }
    char *peer = hub_memdup(envelope.peer, envelope.peer_len);
    const hub_credentials credentials = {
        .client_id = mosquitto_client_id(e->client),
        .user_name = e->username,
        .password = envelope.password,
        .chain = &chain,
        .peer = peer,
        .number = envelope.number,
    };
    r = hub_client_connect(&p->hub, e->client, &credentials,
                           mosquitto_client_clean_session(e->client), fault);
    hub_client_chain_free(&chain);
    free(peer);
    return r;
}

static int on_login(int event, void *data, void *user)
{
    const struct mosquitto_evt_basic_auth *e = data;
    plugin *p = user;
    const char *client_id = mosquitto_client_id(e->client);
    hub_fault fault;

    (void)event;
    catch_up(p); /* first, the acknowledgements of the session that this login may end */
    if (client_id == NULL || mosquitto_client_protocol_version(e->client) != MQTT_3_1_1) {
        return MOSQ_ERR_AUTH;
    }
    if (hub_sessions_owns(&p->sessions, e->username, e->password)) {
        /* not for a client that connected meanwhile, which has a new session */
        return hub_is_online(&p->hub, client_id) ? MOSQ_ERR_AUTH : MOSQ_ERR_SUCCESS;
    }
    if (log_in(p, e, &fault) == HUB_OK) {
        return MOSQ_ERR_SUCCESS;
    }
    hub_log(&p->hub, "%s: refused: %s", client_id, fault.text);
    return MOSQ_ERR_AUTH;
}

static int on_disconnect(int event, void *data, void *user)
{
    const struct mosquitto_evt_disconnect *e = data;
    plugin *p = user;

    (void)event;
    catch_up(p);
    hub_disconnected(&p->hub, e->client);
    return MOSQ_ERR_SUCCESS;
}

/* Closes the connection if the hub does not allow the action. */
static int verdict(const plugin *p, const struct mosquitto_evt_acl_check *e, hub_result r,
                   const hub_fault *fault)
{
    if (r == HUB_OK) {
        return MOSQ_ERR_SUCCESS;
    }
    hub_log(&p->hub, "%s: closed: %s", mosquitto_client_id(e->client), fault->text);
    return MOSQ_ERR_PROTOCOL;
}

static int on_write(plugin *p, const struct mosquitto_evt_acl_check *e)
{
    const hub_publish publish = {
        .topic = e->topic,
        .payload = e->payload,
        .len = e->payloadlen,
        .qos = e->qos,
        .retain = e->retain,
    };
    hub_fault fault;

    if (!hub_knows(&p->hub, e->client)) { /* the connection has ended, so this is its Will */
        const char *client_id = mosquitto_client_id(e->client);
        if (client_id != NULL) {
            hub_accept_will(&p->hub, e->client, client_id, &publish);
        }
        return MOSQ_ERR_ACL_DENIED;
    }
    return verdict(p, e, hub_client_check_publish(&p->hub, e->client, &publish, &fault), &fault);
}

static int on_access(int event, void *data, void *user)
{
    const struct mosquitto_evt_acl_check *e = data;
    plugin *p = user;
    hub_fault fault;

    (void)event;
    switch (e->access) {
    case MOSQ_ACL_WRITE: return on_write(p, e);
    case MOSQ_ACL_SUBSCRIBE:
        return verdict(p, e, hub_client_subscribe(&p->hub, e->client, e->topic, e->qos, &fault),
                       &fault);
    case MOSQ_ACL_UNSUBSCRIBE:
        hub_client_unsubscribe(&p->hub, e->client, e->topic);
        return MOSQ_ERR_SUCCESS;
    case MOSQ_ACL_READ: /* asked only at a login, about the messages of the kept session */
        return hub_may_resume(&p->hub, e->client) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
    default: return MOSQ_ERR_SUCCESS;
    }
}

/* The hub handles a publish of a device, and the broker never sends it to other clients. A
 * result other than ACL_DENIED closes the connection without an acknowledgement, so that the
 * device sends the message again. */
static int on_message(int event, void *data, void *user)
{
    const struct mosquitto_evt_message *e = data;
    plugin *p = user;
    const hub_publish publish = {
        .topic = e->topic,
        .payload = e->payload,
        .len = e->payloadlen,
        .qos = e->qos,
        .retain = e->retain,
    };

    (void)event;
    return hub_client_accept_publish(&p->hub, e->client, &publish) == HUB_OK ? MOSQ_ERR_ACL_DENIED
                                                                             : MOSQ_ERR_UNKNOWN;
}

static int on_tick(int event, void *data, void *user)
{
    plugin *p = user;

    (void)event;
    (void)data;
    take_notes(p);
    if (read_clock(CLOCK_MONOTONIC) - p->logged_ms >= LOG_MS) {
        read_log(p);
    }
    rest_server_run(p->rest);
    hub_client_tick(&p->hub);
    hub_sessions_run(&p->sessions);
    if (p->ready_fd >= 0) {
        (void)!write(p->ready_fd, "R", 1);
        (void)close(p->ready_fd);
        p->ready_fd = -1;
    }
    return MOSQ_ERR_SUCCESS;
}

/* --- life -------------------------------------------------------------- */

static const struct {
    int event;
    MOSQ_FUNC_generic_callback callback;
} callbacks[] = {
    { MOSQ_EVT_BASIC_AUTH, on_login }, { MOSQ_EVT_DISCONNECT, on_disconnect },
    { MOSQ_EVT_ACL_CHECK, on_access }, { MOSQ_EVT_MESSAGE, on_message },
    { MOSQ_EVT_TICK, on_tick },
};

/* Returns NULL if the option was not given. */
static const char *text_option(const struct mosquitto_opt *options, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(options[i].key, name) == 0) {
            return options[i].value;
        }
    }
    return NULL;
}

/* -1 when it was not given. */
static int option(const struct mosquitto_opt *options, int count, const char *name)
{
    const char *text = text_option(options, count, name);
    return text != NULL ? (int)strtol(text, NULL, 10) : -1;
}

EXPORTED int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++) {
        if (supported_versions[i] == MOSQ_PLUGIN_VERSION) {
            return MOSQ_PLUGIN_VERSION;
        }
    }
    return -1;
}

/* Does nothing without the option --dps. */
static bool start_dps(hub *h, const struct mosquitto_opt *options, int count, hub_fault *fault)
{
    const char *host = text_option(options, count, "dps_host");
    const dps_settings settings = {
        .host = host,
        .assigning = (unsigned)option(options, count, "dps_assigning"),
        .retry_after_s = option(options, count, "dps_retry_after"),
        .certificate_life_s = option(options, count, "cert_life"),
    };

    return host == NULL || hub_open_dps(h, &settings, fault) == HUB_OK;
}

static bool take_secret(plugin *p, const char *text)
{
    if (text == NULL || strlen(text) != HUB_ENVELOPE_SECRET_LEN) {
        return false;
    }
    p->front_secret = hub_strdup(text);
    return true;
}

static int start(plugin *p, const struct mosquitto_opt *options, int count)
{
    static const hub_broker broker = {
        .publish = broker_publish,
        .drop = broker_drop,
        .end_session = broker_end_session,
        .log = broker_log,
        .notice = broker_notice,
        .now = broker_now,
        .order = send_note,
    };
    hub_fault fault;

    hub_json_init();
    hub_sessions_init(&p->sessions);
    p->ready_fd = option(options, count, "ready_fd");
    p->log_fd = option(options, count, "log_fd");
    p->notice_fd = option(options, count, "notice_fd");
    p->notes_fd = option(options, count, "notes_fd");
    if (!take_secret(p, text_option(options, count, "front_secret"))) {
        (void)fputs("Error: the secret of the TLS front is missing\n", stderr);
        return MOSQ_ERR_UNKNOWN;
    }
    if (hub_open(&p->hub, ".", &broker, &fault) != HUB_OK) {
        (void)fprintf(stderr, "Error: %s\n", fault.text);
        return MOSQ_ERR_UNKNOWN;
    }
    if (!start_dps(&p->hub, options, count, &fault)) {
        (void)fprintf(stderr, "Error: %s\n", fault.text);
        hub_close(&p->hub);
        return MOSQ_ERR_UNKNOWN;
    }
    p->rest = rest_server_start(&p->hub, option(options, count, "calls_fd"));
    if (p->rest == NULL) {
        (void)fputs("Error: the REST service does not start\n", stderr);
        hub_close(&p->hub);
        return MOSQ_ERR_UNKNOWN;
    }
    return MOSQ_ERR_SUCCESS;
}

EXPORTED int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                                   struct mosquitto_opt *options, int option_count)
{
    int r = start(&self, options, option_count);

    *userdata = &self;
    self.identifier = identifier;
    for (size_t i = 0; r == MOSQ_ERR_SUCCESS && i < sizeof callbacks / sizeof callbacks[0]; i++) {
        r = mosquitto_callback_register(identifier, callbacks[i].event, callbacks[i].callback, NULL,
                                        &self);
    }
    return r;
}

EXPORTED int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options,
                                      int option_count)
{
    plugin *p = userdata;

    (void)options;
    (void)option_count;
    for (size_t i = 0; i < sizeof callbacks / sizeof callbacks[0]; i++) {
        (void)mosquitto_callback_unregister(p->identifier, callbacks[i].event,
                                            callbacks[i].callback, NULL);
    }
    catch_up(p);
    rest_server_stop(p->rest);
    hub_close(&p->hub);
    hub_sessions_free(&p->sessions);
    free(p->front_secret);
    p->front_secret = NULL;
    return MOSQ_ERR_SUCCESS;
}
