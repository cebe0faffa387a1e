/* The command line of `iothub fleet`. */

#include "fleet/options.h"

#include <argp.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "command/commands.h"

enum {
    OPT_CREATE = 256,
    OPT_PREFIX,
    OPT_PORT,
    OPT_REST_PORT,
    OPT_RATE,
    OPT_SIZE,
    OPT_RAMP,
    OPT_DURATION,
    OPT_REPORT,
    OPT_SHARD,
    OPT_TELEMETRY_ONLY
};

enum { DEVICES_MAX = 1000000, SIZE_LIMIT = 65536, PREFIX_MAX = 100 };

/* One message in eleven days; with a lower rate the interval in microseconds would overflow. */
static const double RATE_MIN = 1e-6;
static const double RATE_MAX = 100000;

static void read_rate(struct argp_state *state, const char *name, const char *text, double *out)
{
    if (!cli_rate(text, RATE_MIN, RATE_MAX, out)) {
        cli_usage(state, "--%s is not a rate: 0, or a number such as 0.5 from 0.000001 to 100000",
                  name);
    }
}

static void read_shard(struct argp_state *state, const char *text, fleet_options *o)
{
    const char *slash = strchr(text, '/');
    char *first = slash != NULL ? strndup(text, (size_t)(slash - text)) : NULL;
    bool good = first != NULL && cli_number(slash + 1, 1, DEVICES_MAX, &o->shards) &&
                cli_number(first, 0, o->shards - 1, &o->shard);

    free(first);
    if (!good) {
        cli_usage(state, "--shard is not I/N with I from 0 to N - 1");
    }
}

static void check(struct argp_state *state, const fleet_options *o)
{
    if ((o->file == NULL) == (o->create == 0)) {
        cli_usage(state, "give either a file of connection strings or --create");
    }
    if (o->ramp <= 0) {
        cli_usage(state, "--ramp: must be more than 0");
    }
    if (*o->prefix == '\0' || strlen(o->prefix) > PREFIX_MAX) {
        cli_usage(state, "--prefix must have 1 to %d characters", PREFIX_MAX);
    }
    for (const char *c = o->prefix; *c != '\0'; c++) { /* ids with '+' and '#' cannot use MQTT */
        if (!isalnum((unsigned char)*c) && strchr("-.%_*?!(),=@$':", *c) == NULL) {
            cli_usage(state, "--prefix may have letters, digits and -.%%_*?!(),=@$': only");
        }
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    fleet_options *o = state->input;

    switch (key) {
    case OPT_CREATE: o->create = cli_number_option(state, "create", arg, 1, DEVICES_MAX); return 0;
    case OPT_PREFIX: o->prefix = arg; return 0;
    case OPT_PORT: o->port = (uint16_t)cli_number_option(state, "port", arg, 1, 65535); return 0;
    case OPT_REST_PORT:
        o->rest_port = (uint16_t)cli_number_option(state, "rest-port", arg, 1, 65535);
        return 0;
    case OPT_RATE: read_rate(state, "rate", arg, &o->rate); return 0;
    case OPT_SIZE: o->size = cli_number_option(state, "size", arg, 1, SIZE_LIMIT); return 0;
    case OPT_RAMP: read_rate(state, "ramp", arg, &o->ramp); return 0;
    case OPT_DURATION:
        o->duration_s = cli_number_option(state, "duration", arg, 1, 1000000000);
        return 0;
    case OPT_REPORT: o->report_s = cli_number_option(state, "report", arg, 1, 1000000); return 0;
    case OPT_SHARD: read_shard(state, arg, o); return 0;
    case OPT_TELEMETRY_ONLY: o->telemetry_only = true; return 0;
    case ARGP_KEY_ARG:
        if (o->file != NULL) {
            cli_usage(state, "only one file can be given");
        }
        o->file = arg;
        return 0;
    case ARGP_KEY_END: check(state, o); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { .name = "create",
      .key = OPT_CREATE,
      .arg = "N",
      .doc = "Register N devices, PREFIX0 to PREFIX(N-1), with new keys; they stay registered" },
    { .name = "prefix",
      .key = OPT_PREFIX,
      .arg = "TEXT",
      .doc = "Prefix of the ids of created devices (default: fleet-)" },
    { .name = "rate",
      .key = OPT_RATE,
      .arg = "R",
      .doc = "Messages per second of each device, also below 1; 0: none (default: 0.1)" },
    { .name = "size",
      .key = OPT_SIZE,
      .arg = "BYTES",
      .doc = "Size of a message's body (default: 256)" },
    { .name = "ramp",
      .key = OPT_RAMP,
      .arg = "R",
      .doc = "How many devices start per second, at random moments (default: 20)" },
    { .name = "duration",
      .key = OPT_DURATION,
      .arg = "SECONDS",
      .doc = "End after this time (default: run until Ctrl-C or SIGTERM)" },
    { .name = "report",
      .key = OPT_REPORT,
      .arg = "SECONDS",
      .doc = "Time between two lines of progress (default: 5)" },
    { .name = "shard",
      .key = OPT_SHARD,
      .arg = "I/N",
      .doc = "Use every Nth device only, beginning with number I (0 to N - 1), so that N processes "
             "share the devices" },
    { .name = "telemetry-only",
      .key = OPT_TELEMETRY_ONLY,
      .doc = "Do not subscribe to methods and twins" },
    { .name = "port",
      .key = OPT_PORT,
      .arg = "PORT",
      .doc = "MQTT port of the hub (default: $IOTHUB_PORT, which the emulator prints, or 8883)" },
    { .name = "rest-port",
      .key = OPT_REST_PORT,
      .arg = "PORT",
      .doc = "HTTPS port, for --create (default: $IOTHUB_REST_PORT, or 443)" },
    { 0 },
};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[FILE]",
    .doc = "Simulate many devices at once: each sends telemetry, answers every method with 200 and "
           "reports the version of each desired change.  FILE has a connection string on each line "
           "(- is standard input)."
           "\vProgress and a summary are written to standard output: connects, messages, "
           "latencies, errors by kind.  The exit status is 0 if every device was connected and "
           "every message that was sent arrived.\n\n"
           "--create needs IOTHUB_CONNECTION_STRING with the right to write to the registry, and "
           "gives the devices of these names new keys.  If IOTHUB_CA_FILE is set, only the root "
           "certificates in this PEM file are trusted.\n\n"
           "Examples:\n"
           "  iothub fleet --create 500 --rate 1 --duration 60\n"
           "  iothub fleet --shard 2/8 devices.txt",
};

bool fleet_options_read(fleet_options *o, int argc, char **argv)
{
    *o = (fleet_options){
        .prefix = "fleet-",
        .rate = 0.1,
        .size = 256,
        .ramp = 20,
        .report_s = 5,
        .shards = 1,
    };
    if (!cli_port_of("IOTHUB_PORT", 8883, &o->port) ||
        !cli_port_of("IOTHUB_REST_PORT", 443, &o->rest_port)) {
        return false;
    }
    cli_parse(&argp, argc, argv, 0, o);
    return true;
}
