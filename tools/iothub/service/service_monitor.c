/* `iothub service monitor` */

#include "service/service_monitor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/commands.h"
#include "hub/refusal.h"
#include "service/service_call.h"

enum { OPT_COUNT = 'n', OPT_FROM = 256, OPT_TIMEOUT };

typedef struct monitor_input {
    service_options *shared;
    service_words words; /* [DEVICE] */
    hub_target target;
    uint64_t count;   /* 0: no limit */
    uint64_t from;    /* 0: only new events */
    uint64_t timeout; /* 0: no limit */

    cli_json json;
    bool in_line; /* the last printed byte was not a line end */
    uint64_t printed;
} monitor_input;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    monitor_input *in = state->input;
    const uint64_t large = 1000000000000;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = in->shared; return 0;
    case ARGP_KEY_ARG:
        service_take_word(state, &in->words, 1, arg);
        hub_target_read(state, arg, &in->target);
        if (in->target.module[0] != '\0') {
            cli_usage(state, "give a device, not a module: the telemetry of a device includes that "
                             "of its modules");
        }
        return 0;
    case OPT_COUNT: in->count = cli_number_option(state, "count", arg, 1, large); return 0;
    case OPT_FROM: in->from = cli_number_option(state, "from", arg, 1, large); return 0;
    case OPT_TIMEOUT: in->timeout = cli_number_option(state, "timeout", arg, 1, 86400); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Prints each line immediately, for readers of a pipe. Empty lines are heartbeats and are
 * skipped. */
static bool print_lines(void *user, const char *data, size_t len)
{
    monitor_input *in = user;

    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n' && !in->in_line) {
            continue;
        }
        cli_put_json(stdout, &in->json, &data[i], 1);
        in->in_line = data[i] != '\n';
        in->printed += in->in_line ? 0 : 1;
    }
    return fflush(stdout) == 0;
}

static char *events_path(const monitor_input *in)
{
    char *device = rest_escape(in->target.device);
    char *path = NULL;
    size_t len;
    FILE *f = device != NULL ? open_memstream(&path, &len) : NULL;

    if (f == NULL) {
        free(device);
        cli_error("out of memory");
        return NULL;
    }
    fputs(EMULATOR_PATH "events?" REST_API_VERSION, f);
    if (*device != '\0') {
        fprintf(f, "&device=%s", device);
    }
    if (in->count != 0) {
        fprintf(f, "&limit=%" PRIu64, in->count);
    }
    if (in->from != 0) {
        fprintf(f, "&from=%" PRIu64, in->from);
    }
    if (in->timeout != 0) {
        fprintf(f, "&timeout=%" PRIu64, in->timeout);
    }
    free(device);
    (void)fclose(f);
    return path;
}

static int watch(monitor_input *in)
{
    char *path = events_path(in);
    const rest_call call = { .method = "GET", .path = path, .on_data = print_lines, .user = in };
    rest_reply reply;
    int status = EXIT_FAILURE;

    if (path != NULL) {
        status = service_call(in->shared, &call, &in->target, &reply);
    }
    free(path);
    if (status != EXIT_SUCCESS) {
        return status;
    }
    rest_reply_free(&reply);
    cli_put_json_end(stdout, &in->json);
    if (cli_finish() != EXIT_SUCCESS) {
        return EXIT_FAILURE;
    }
    if (in->count != 0 && in->printed < in->count) {
        return cli_error("%" PRIu64 " of %" PRIu64 " messages arrived", in->printed, in->count);
    }
    return in->count == 0 && in->timeout == 0 ? cli_error("the emulator has stopped") : status;
}

int run_service_monitor(int argc, char **argv, void *context)
{
    static const struct argp_option options[] = {
        { .name = "count", .key = OPT_COUNT, .arg = "N", .doc = "End after N messages" },
        { .name = "timeout", .key = OPT_TIMEOUT, .arg = "SECONDS", .doc = "End after SECONDS" },
        { .name = "from",
          .key = OPT_FROM,
          .arg = "N",
          .doc = "Begin with message N; 1 is the oldest (default: new messages only)" },
        { 0 },
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[DEVICE]",
        .doc = "Print the telemetry of one device, or of all, as it arrives: one JSON object per "
               "line.  Emulator only: a hub in the cloud offers telemetry over AMQP only."
               "\vWithout --count and --timeout it runs until it is interrupted.  With --count the "
               "exit status is 1 if fewer messages arrived.",
        .children = service_children,
    };
    monitor_input in = { .shared = context };

    cli_parse(&argp, argc, argv, 0, &in);
    return watch(&in);
}
