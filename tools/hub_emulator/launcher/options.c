#include "launcher/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/args.h"
#include "cli/number.h"
#include "dps/dps.h"
#include "registry/identity.h"

static const char help_before[] =
    "A local Azure IoT Hub: MQTT over TLS and over WebSocket for devices, HTTPS for services.\n"
    "It prints how to connect, one NAME=VALUE per line, then READY, and runs until Ctrl-C or "
    "SIGTERM.";

static const char help_after[] =
    "The same lines are in the file `env' of the state directory, for a shell to read:\n"
    "  hub_emulator --state ~/.hub &\n"
    "  . ~/.hub/env\n"
    "Devices need IOTHUB_DEVICE_CONNECTION_STRING, IOTHUB_PORT and IOTHUB_CA_FILE; services "
    "IOTHUB_CONNECTION_STRING, IOTHUB_REST_PORT and IOTHUB_CA_FILE.\n"
    "\n"
    "AMQP is not supported; the port of --amqp-port refuses AMQP clients immediately, so that they "
    "do not try again.\n"
    "\n"
    "Exit status: 0 after Ctrl-C or SIGTERM, 1 after a failure, 2 for wrong usage.";

enum {
    OPT_HTTPS_PORT = 256,
    OPT_AMQP_PORT,
    OPT_LISTEN,
    OPT_HOST,
    OPT_MOSQUITTO,
    OPT_X509,
    OPT_X509_CA,
    OPT_CA,
    OPT_DPS,
    OPT_ENROLL,
    OPT_ENROLL_GROUP,
    OPT_DPS_ASSIGNING,
    OPT_DPS_RETRY_AFTER,
    OPT_CERT_LIFE,
    OPT_SERVER_KEY
};

static const struct argp_option option_table[] = {
    { "port", 'p', "PORT", 0, "Port for MQTT over TLS (default 8883; 0: any free port)", 0 },
    { "https-port", OPT_HTTPS_PORT, "PORT", 0,
      "Port for HTTPS and for MQTT over WebSocket (default 8443; the real hub has 443; 0: any free "
      "port)",
      0 },
    { "rest-port", 0, NULL, OPTION_ALIAS, NULL, 0 },
    { "amqp-port", OPT_AMQP_PORT, "PORT", 0,
      "Port that refuses AMQP clients (default 5671, or none with --port 0; 0: any free port)", 0 },
    { "listen", OPT_LISTEN, "ADDRESS", 0,
      "Listen on this address; 0.0.0.0 and :: mean all addresses (default: 127.0.0.1 and ::1)", 0 },
    { "host", OPT_HOST, "NAME", 0,
      "Host name of the hub in connection strings and in the certificate (default: localhost, or "
      "the address of --listen). The vendor's C SDK needs a name with a dot",
      0 },
    { "server-key", OPT_SERVER_KEY, "KIND", 0,
      "Key of the server certificate: rsa, as that of the real hub, or ecdsa (P-256), which takes "
      "a "
      "sixth of the CPU time per connection (default: rsa)",
      0 },
    { "state", 's', "DIR", 0,
      "Keep keys, certificates, twins and waiting messages here (default: a private directory that "
      "is removed at the end)",
      0 },
    { "device", 'd', "ID", 0,
      "Register this device if it is not there yet; may be repeated (default: device1)", 0 },
    { "x509", OPT_X509, "ID", 0,
      "Register this device with a certificate that is made for it, by its thumbprint; may be "
      "repeated",
      0 },
    { "x509-ca", OPT_X509_CA, "ID", 0,
      "The same with a certificate that the CA of the emulator signs; the name in it counts", 0 },
    { "ca", OPT_CA, "FILE", 0,
      "Accept certificates of this CA from devices that are registered by CA; may be repeated", 0 },
    { "dps", OPT_DPS, NULL, 0,
      "Offer a Device Provisioning Service on the same ports, which assigns devices to this hub; "
      "the devices of --x509 and --x509-ca are enrolled",
      0 },
    { "enroll", OPT_ENROLL, "ID", 0,
      "Enrol this registration id with a symmetric key if it is not enrolled yet; may be repeated; "
      "implies --dps",
      0 },
    { "enroll-group", OPT_ENROLL_GROUP, "ID", 0,
      "The same for a group, whose devices use keys derived from its key", 0 },
    { "dps-assigning", OPT_DPS_ASSIGNING, "N", 0,
      "Answer each registration N times with \"assigning\" first (default 1)", 0 },
    { "dps-retry-after", OPT_DPS_RETRY_AFTER, "SECONDS", 0,
      "The time that devices shall wait after each of these answers (default 1)", 0 },
    { "cert-life", OPT_CERT_LIFE, "SECONDS", 0,
      "How long the certificates are valid that answer the requests of devices (default 2592000, "
      "30 days)",
      0 },
    { "verbose", 'v', NULL, 0, "Log to standard error what clients do and why they are refused",
      0 },
    { "mosquitto", OPT_MOSQUITTO, "FILE", 0,
      "The broker program (default: mosquitto in PATH or /usr/sbin)", 0 },
    { 0 },
};

/* An argument that is not valid is not repeated, since it may be a key. */
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

static unsigned parse_life(const struct argp_state *state, const char *text)
{
    uint64_t n;

    if (!cli_number(text, 1, DPS_CERTIFICATE_LIFE_MAX_S, &n)) {
        cli_usage(state, "--cert-life is not a number from 1 to %u",
                  (unsigned)DPS_CERTIFICATE_LIFE_MAX_S);
    }
    return (unsigned)n;
}

static hub_pair_kind parse_key_kind(const struct argp_state *state, const char *text)
{
    if (strcmp(text, "rsa") != 0 && strcmp(text, "ecdsa") != 0) {
        cli_usage(state, "--server-key is neither rsa nor ecdsa");
    }
    return strcmp(text, "rsa") == 0 ? HUB_PAIR_RSA : HUB_PAIR_EC;
}

/* Returns the id without white space around it; the text is cut in place. */
static const char *trimmed(char *id)
{
    size_t len = strlen(id);

    while (len > 0 && isspace((unsigned char)id[len - 1])) {
        id[--len] = '\0';
    }
    return id + strspn(id, " \t\r\n\v\f");
}

static void check_device(const char *id, const char *option, const struct argp_state *state)
{
    if (!hub_id_valid(id) || !hub_id_fits_mqtt(id) || strchr(id, ';') != NULL) {
        cli_usage(state,
                  "--%s is not a device id that MQTT and a connection string can carry: "
                  "1 to 128 letters, digits and -.%%_*?!(),=@$':",
                  option);
    }
}

static void add_device(hub_options *o, const char *id, const struct argp_state *state)
{
    check_device(id, "device", state);
    o->devices = hub_realloc(o->devices, (o->device_count + 1) * sizeof *o->devices);
    o->devices[o->device_count++] = id;
}

static const char *parse_registration_id(const char *id, const char *option,
                                         const struct argp_state *state)
{
    if (!dps_id_valid(id)) {
        cli_usage(state,
                  "--%s is not a registration id: 1 to 128 letters, digits and -._: between "
                  "letters or digits",
                  option);
    }
    return id;
}

static void add_id(const char ***ids, size_t *count, const char *id)
{
    *ids = hub_realloc(*ids, (*count + 1) * sizeof **ids);
    (*ids)[(*count)++] = id;
}

static unsigned parse_count(const struct argp_state *state, const char *name, const char *text,
                            uint64_t max)
{
    uint64_t n;

    if (!cli_number(text, 0, max, &n)) {
        cli_usage(state, "--%s is not a number from 0 to %u", name, (unsigned)max);
    }
    return (unsigned)n;
}

/* Checks that the host name is valid in a connection string, a user name and a certificate. */
static const char *parse_host(const struct argp_state *state, const char *name)
{
    static const char marks[] = "-._";
    size_t len = strlen(name);
    bool good = len > 0 && len <= 253 && strchr(marks, name[0]) == NULL &&
                strchr(marks, name[len - 1]) == NULL && strstr(name, "..") == NULL;

    for (const char *c = name; good && *c != '\0'; c++) {
        good = isalnum((unsigned char)*c) || strchr(marks, *c) != NULL;
    }
    if (!good) {
        cli_usage(state, "--host is not a host name: letters, digits and -._ without a port");
    }
    return name;
}

static void parse_listen(hub_options *o, const char *text, const struct argp_state *state)
{
    if (!hub_addresses_parse(&o->listen, text)) {
        cli_usage(state, "--listen is not an address: one of this machine in numbers, without a "
                         "port, such as 192.168.1.5, 0.0.0.0 or ::");
    }
}

/* Two ports may be equal only if both are 0, which means any free port. */
static void check_ports(const hub_options *o, const struct argp_state *state)
{
    if (o->port != 0 && o->port == o->https_port) {
        cli_usage(state, "--port and --https-port are the same");
    }
    if (o->amqp_port > 0 && (o->amqp_port == o->port || o->amqp_port == o->https_port)) {
        cli_usage(state, "--amqp-port is the same as --port or --https-port");
    }
}

static void choose_host(hub_options *o, const struct argp_state *state)
{
    if (o->host != NULL) {
        o->host_given = true;
    } else if (hub_addresses_have_localhost(&o->listen)) {
        o->host = "localhost";
    } else if (o->listen.v4[0] != '\0') {
        o->host = o->listen.v4;
    } else {
        cli_usage(state, "--listen with this address needs --host: no connection string can carry "
                         "an IPv6 address");
    }
}

static void finish(hub_options *o, const struct argp_state *state)
{
    check_ports(o, state);
    choose_host(o, state);
    if (o->device_count == 0) {
        add_device(o, "device1", state);
    }
}

/* Parses the options of the provisioning service; each of them also turns it on. */
static error_t parse_dps_option(int key, char *argument, hub_options *o,
                                const struct argp_state *state)
{
    switch (key) {
    case OPT_DPS: break;
    case OPT_ENROLL:
        add_id(&o->enrolled, &o->enrolled_count,
               parse_registration_id(trimmed(argument), "enroll", state));
        break;
    case OPT_ENROLL_GROUP:
        add_id(&o->groups, &o->group_count,
               parse_registration_id(trimmed(argument), "enroll-group", state));
        break;
    case OPT_DPS_ASSIGNING:
        o->dps_assigning = parse_count(state, "dps-assigning", argument, DPS_ASSIGNING_MAX);
        break;
    case OPT_DPS_RETRY_AFTER:
        o->dps_retry_after_s =
            parse_count(state, "dps-retry-after", argument, DPS_RETRY_AFTER_MAX_S);
        break;
    case OPT_CERT_LIFE: o->certificate_life_s = parse_life(state, argument); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    o->dps = true;
    return 0;
}

static void add_x509(hub_options *o, const char *id, bool by_ca, const struct argp_state *state)
{
    check_device(id, by_ca ? "x509-ca" : "x509", state);
    hub_x509_device_add(&o->x509_devices, &o->x509_count, id, by_ca);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    hub_options *o = state->input;

    switch (key) {
    case 'p': o->port = parse_port(state, "port", argument); return 0;
    case OPT_HTTPS_PORT: o->https_port = parse_port(state, "https-port", argument); return 0;
    case OPT_AMQP_PORT: o->amqp_port = parse_port(state, "amqp-port", argument); return 0;
    case OPT_LISTEN: parse_listen(o, argument, state); return 0;
    case OPT_HOST: o->host = parse_host(state, argument); return 0;
    case OPT_SERVER_KEY: o->server_key = parse_key_kind(state, argument); return 0;
    case 's': o->state = parse_path(state, "state", argument); return 0;
    case 'd': add_device(o, trimmed(argument), state); return 0;
    case OPT_X509: add_x509(o, trimmed(argument), false, state); return 0;
    case OPT_X509_CA: add_x509(o, trimmed(argument), true, state); return 0;
    case OPT_CA: add_id(&o->ca_files, &o->ca_count, parse_path(state, "ca", argument)); return 0;
    case 'v': o->verbose = true; return 0;
    case OPT_MOSQUITTO: o->mosquitto = parse_path(state, "mosquitto", argument); return 0;
    case ARGP_KEY_ARG: cli_usage(state, "no arguments are allowed");
    case ARGP_KEY_END: finish(o, state); return 0;
    default: return parse_dps_option(key, argument, o, state);
    }
}

void hub_options_read(hub_options *o, int argc, char **argv)
{
    char *doc = hub_format("%s\v%s", help_before, help_after);
    const struct argp argp = { .options = option_table, .parser = parse_option, .doc = doc };

    *o = (hub_options){ .port = 8883,
                        .https_port = 8443,
                        .amqp_port = -1,
                        .dps_assigning = DPS_ASSIGNING_DEFAULT,
                        .dps_retry_after_s = DPS_RETRY_AFTER_DEFAULT_S,
                        .certificate_life_s = DPS_CERTIFICATE_LIFE_DEFAULT_S };
    hub_addresses_loopback(&o->listen);
    cli_parse(&argp, argc, argv, 0, o);
    free(doc);
}

void hub_options_free(hub_options *o)
{
    free(o->devices);
    free(o->x509_devices);
    free(o->ca_files);
    free(o->enrolled);
    free(o->groups);
    *o = (hub_options){ 0 };
}
