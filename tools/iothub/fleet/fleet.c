/* `iothub fleet`: the command line, and the loop. */

#include "fleet/fleet.h"

#include <argp.h>
#include <ctype.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/number.h"
#include "command/commands.h"
#include "service/service.h"

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

enum {
    DEVICES_MAX = 1000000,
    SIZE_LIMIT = 65536,
    PREFIX_MAX = 100,
    RX = 8 * 1024,
    REQUEST = 512,
    HEADERS = 512,
    QUEUED = 4, /* messages of a device */
    GRACE_MS = 5000,
    OTHER_DESCRIPTORS = 64
};

/* One message in eleven days; what is less would overflow microseconds. */
static const double RATE_MIN = 1e-6;
static const double RATE_MAX = 100000;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

uint64_t fleet_now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- the command line ------------------------------------------------------------- */

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
        cli_usage(state, "either a file of connection strings or --create is needed");
    }
    if (o->ramp <= 0) {
        cli_usage(state, "--ramp: 0 never gets anywhere");
    }
    if (*o->prefix == '\0' || strlen(o->prefix) > PREFIX_MAX) {
        cli_usage(state, "--prefix: 1 to %d characters", PREFIX_MAX);
    }
    for (const char *c = o->prefix; *c != '\0'; c++) { /* '+' and '#' cannot use MQTT */
        if (!isalnum((unsigned char)*c) && strchr("-.%_*?!(),=@$':", *c) == NULL) {
            cli_usage(state, "--prefix: device ids have letters, digits and -.%%_*?!(),=@$':");
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
      .doc = "Of the names of created devices (default: fleet-)" },
    { .name = "rate",
      .key = OPT_RATE,
      .arg = "R",
      .doc = "Messages a second of each device, also below 1; 0 for none (default: 0.1)" },
    { .name = "size",
      .key = OPT_SIZE,
      .arg = "BYTES",
      .doc = "Of a message's body (default: 256)" },
    { .name = "ramp",
      .key = OPT_RAMP,
      .arg = "R",
      .doc = "Devices that start a second, at random moments (default: 20)" },
    { .name = "duration",
      .key = OPT_DURATION,
      .arg = "SECONDS",
      .doc = "End after this time (default: with Ctrl-C or SIGTERM)" },
    { .name = "report",
      .key = OPT_REPORT,
      .arg = "SECONDS",
      .doc = "Between two lines of progress (default: 5)" },
    { .name = "shard",
      .key = OPT_SHARD,
      .arg = "I/N",
      .doc = "Only every Nth device, beginning with number I: for I of 0 to N - 1 in N processes" },
    { .name = "telemetry-only",
      .key = OPT_TELEMETRY_ONLY,
      .doc = "Neither methods nor twins are subscribed" },
    { .name = "port",
      .key = OPT_PORT,
      .arg = "PORT",
      .doc = "MQTT port of the hub (default: $IOTHUB_PORT, which the emulator tells, or 8883)" },
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
           "\vProgress and a summary go to standard output: connects, messages, latencies, errors "
           "by kind.  The exit status is 0 when every device was connected and every message that "
           "was sent arrived.\n\n"
           "--create needs IOTHUB_CONNECTION_STRING with the right to write to the registry, and "
           "gives devices of these names new keys.  IOTHUB_CA_FILE, when it is set, has the only "
           "roots to trust.\n\n"
           "Examples:\n"
           "  iothub fleet --create 500 --rate 1 --duration 60\n"
           "  iothub fleet --shard 2/8 devices.txt",
};

/* --- getting ready ------------------------------------------------------------------ */

static void set_up_client(fleet *f)
{
    iothub_options *o = &f->client;
    const char *ca_file = getenv("IOTHUB_CA_FILE");

    iothub_options_init(o);
    o->platform = plat_posix();
    o->port = f->options->port;
    o->ca_file = ca_file != NULL && *ca_file != '\0' ? ca_file : NULL;
    o->rx_size = RX;
    o->tx_size = QUEUED * ((size_t)f->options->size + HEADERS);
    o->request_size = REQUEST;
    fleet_set_callbacks(f);
}

/* A connection is one descriptor; while its token is renewed, two. */
static void check_descriptors(const fleet *f)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < f->count + OTHER_DESCRIPTORS) {
        (void)cli_error("only %llu descriptors are allowed (ulimit -Hn): some devices will fail",
                        (unsigned long long)limit.rlim_cur);
    }
}

static bool set_up(fleet *f)
{
    const fleet_options *o = f->options;

    f->body = malloc((size_t)o->size + HEADERS);
    if (f->body == NULL || plat_poll_set_new(&f->set) != PLAT_OK) {
        (void)cli_error("out of memory");
        return false;
    }
    set_up_client(f);
    if (!(o->file != NULL ? fleet_read(f) : fleet_create(f))) {
        return false;
    }
    if (f->count == 0) {
        (void)cli_error("no devices in this shard");
        return false;
    }
    check_descriptors(f);
    return true;
}

/* --- running -------------------------------------------------------------------------- */

static void schedule_all(fleet *f)
{
    double gap_us = 1e6 / f->options->ramp;

    srand48((long)(fleet_now_us() ^ f->options->shard << 32));
    f->began_us = fleet_now_us();
    for (size_t i = 0; i < f->count; i++) {
        double moment = ((double)i + drand48()) * gap_us;
        fleet_schedule(f->devices[i], f->began_us + (uint64_t)moment);
    }
}

static void turn(fleet *f, uint64_t until_us)
{
    uint64_t now = fleet_now_us();
    int max_ms = now < until_us ? (int)((until_us - now) / 1000) + 1 : 0;
    plat_poll_item *item = plat_poll_set_next(f->set, max_ms);

    if (item != NULL) {
        fleet_serve(item);
    }
}

static void run(fleet *f)
{
    const fleet_options *o = f->options;
    uint64_t report_us = f->began_us + o->report_s * 1000000;
    uint64_t end_us = o->duration_s != 0 ? f->began_us + o->duration_s * 1000000 : UINT64_MAX;

    while (!interrupted && !f->failed) {
        uint64_t now = fleet_now_us();
        if (now >= end_us) {
            return;
        }
        if (now >= report_us) {
            fleet_progress(f);
            report_us += o->report_s * 1000000;
        }
        turn(f, report_us < end_us ? report_us : end_us);
    }
}

/* Waits for the acknowledgements of sent messages; nothing new is sent. */
static void stop_all(fleet *f)
{
    for (size_t i = 0; i < f->count; i++) {
        fleet_stop(f->devices[i], GRACE_MS);
    }
    for (size_t i = 0; i < f->count; i++) {
        while (!fleet_is_stopped(f->devices[i])) {
            turn(f, fleet_now_us() + 1000000);
        }
    }
}

static void free_all(fleet *f)
{
    for (size_t i = 0; i < f->count; i++) {
        fleet_free(f->devices[i]);
    }
    plat_poll_set_free(f->set);
    free(f->devices);
    free(f->body);
}

int run_fleet(int argc, char **argv, void *context)
{
    fleet_options o = {
        .prefix = "fleet-",
        .rate = 0.1,
        .size = 256,
        .ramp = 20,
        .report_s = 5,
        .shards = 1,
    };
    fleet f = { .options = &o };
    const struct sigaction action = { .sa_handler = on_signal };
    int status = EXIT_FAILURE;

    (void)context;
    if (!cli_port_of("IOTHUB_PORT", 8883, &o.port) ||
        !cli_port_of("IOTHUB_REST_PORT", 443, &o.rest_port)) {
        return CLI_EXIT_USAGE;
    }
    cli_parse(&argp, argc, argv, 0, &o);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (set_up(&f)) {
        schedule_all(&f);
        run(&f);
        fleet_progress(&f);
        f.heap = mallinfo2().uordblks;
        stop_all(&f);
        status = fleet_summary(&f);
    }
    free_all(&f);
    return status;
}
