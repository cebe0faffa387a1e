#include "sas/derive_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/secret.h"
#include "command/commands.h"
#include "iothub/provisioning.h"

#define GROUP_KEY_ENV "IOTHUB_DPS_GROUP_KEY"

enum { OPT_KEY = 256 };

typedef struct request {
    const char *key; /* key of the group */
    char **ids;
    int count;
} request;

static const struct argp_option options[] = {
    { .name = "key",
      .key = OPT_KEY,
      .arg = "BASE64",
      .doc = "Primary or secondary key of the enrolment group; - reads it from standard input, so "
             "that it does not appear in the process list (default: $" GROUP_KEY_ENV ")" },
    { 0 },
};

static const char doc[] =
    "Print the keys of devices that register with the Device Provisioning Service through an "
    "enrolment group: one line for each REGISTRATION-ID."
    "\vThe key of a group stays on the machine that prepares the devices; each device gets its own "
    "key only.\n\n"
    "Examples:\n"
    "  iothub derive-key --key - sensor-1 <group-key.txt\n"
    "  " GROUP_KEY_ENV "=... iothub derive-key sensor-1 sensor-2";

static void find_key(struct argp_state *state, request *q)
{
    if (q->key == NULL) {
        q->key = getenv(GROUP_KEY_ENV);
    }
    if (q->key == NULL || *q->key == '\0') {
        cli_usage(state, "no group key: give --key or set " GROUP_KEY_ENV);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is that of argp */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;

    switch (key) {
    case OPT_KEY: q->key = arg; return 0;
    case ARGP_KEY_ARGS:
        q->ids = state->argv + state->next;
        q->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_NO_ARGS: cli_usage(state, "a registration id is missing");
    case ARGP_KEY_END: find_key(state, q); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int print_keys(const request *q, const char *group_key)
{
    char key[IOTHUB_DEVICE_KEY_SIZE];
    iothub_error err;

    for (int i = 0; i < q->count; i++) {
        if (iothub_derive_device_key(plat_posix()->crypto, group_key, q->ids[i], key, &err) !=
            IOTHUB_OK) {
            return cli_error("%s", err.text);
        }
        puts(key);
    }
    return cli_finish();
}

int run_derive_key(int argc, char **argv, void *context)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "REGISTRATION-ID...", .doc = doc
    };
    request q = { 0 };

    (void)context;
    cli_parse(&argp, argc, argv, 0, &q);
    char *group_key = cli_text(q.key, "group key");
    const int status = group_key != NULL ? print_keys(&q, group_key) : EXIT_FAILURE;
    cli_forget_text(group_key);
    return status;
}
