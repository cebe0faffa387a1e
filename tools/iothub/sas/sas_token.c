#include "sas/sas_token.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/number.h"
#include "cli/secret.h"
#include "command/commands.h"
#include "iothub/sas.h"
#include "sas/sas_inspect.h"

#define DEVICE_ENV "IOTHUB_DEVICE_CONNECTION_STRING"

static const uint64_t TTL_MAX_S = 1000000000000;

enum { DEFAULT_TTL_S = 3600, FIRST_PLAUSIBLE_TIME = 1600000000 /* September 2020 */ };

enum option_key {
    OPT_CS = 256,
    OPT_TTL,
    OPT_EXPIRY,
    OPT_AS_CS,
    OPT_RESOURCE,
    OPT_KEY,
    OPT_POLICY,
    OPT_INSPECT
};

/* The options of the user; NULL: not given. */
typedef struct request {
    const char *connection_string;
    const char *ttl;
    const char *expiry;
    bool as_connection_string;
    const char *resource;
    const char *key;
    const char *policy;
    const char *inspect;

    uint64_t ttl_s;
    uint64_t expiry_s;
} request;

static const struct argp_option options[] = {
    { .doc = "For a connection string (the default):", .group = 1 },
    { .name = "connection-string",
      .key = OPT_CS,
      .arg = "CS",
      .group = 1,
      .doc = "Connection string of a device, a module or a service (policy); - reads it from "
             "standard input (default: $" DEVICE_ENV ")" },
    { .name = "as-connection-string",
      .key = OPT_AS_CS,
      .group = 1,
      .doc = "Print the connection string with the token in place of the key" },
    { .doc = "For any resource:", .group = 2 },
    { .name = "resource",
      .key = OPT_RESOURCE,
      .arg = "URI",
      .group = 2,
      .doc = "The resource that the token gives access to, e.g. "
             "myhub.azure-devices.net/devices/device1; not percent-encoded" },
    { .name = "key",
      .key = OPT_KEY,
      .arg = "BASE64",
      .group = 2,
      .doc = "The key; - reads it from standard input, so that it does not appear in the process "
             "list" },
    { .name = "policy",
      .key = OPT_POLICY,
      .arg = "NAME",
      .group = 2,
      .doc = "Name of the policy that owns the key; device keys have none" },
    { .doc = "For both:", .group = 3 },
    { .name = "ttl",
      .key = OPT_TTL,
      .arg = "SECONDS",
      .group = 3,
      .doc = "How long the token is valid from now on (default: 3600)" },
    { .name = "expiry",
      .key = OPT_EXPIRY,
      .arg = "UNIX",
      .group = 3,
      .doc = "When the token expires, in seconds since 1970-01-01 UTC, instead of --ttl" },
    { .doc = "To explain a token:", .group = 4 },
    { .name = "inspect",
      .key = OPT_INSPECT,
      .arg = "TOKEN",
      .group = 4,
      .doc = "Explain TOKEN (- reads it from standard input); with --key, also print whether it "
             "was signed with this key, and exit with 1 if not" },
    { 0 },
};

static const char doc[] =
    "Print a SAS token (shared access signature).  It gives access to an IoT Hub until it expires."
    "\vExamples:\n"
    "  iothub sas-token --connection-string \"$DEVICE_STRING\" --ttl 86400\n"
    "  iothub sas-token --as-connection-string\n"
    "  iothub sas-token --resource myhub.azure-devices.net --key - <key.txt\n"
    "  iothub sas-token --inspect \"$TOKEN\" --key \"$KEY\"";

/* --- usage --------------------------------------------------------------- */

/* Names the two options that exclude each other. */
static void refuse_pair(struct argp_state *state, const char *a, const void *a_given, const char *b,
                        const void *b_given)
{
    if (a_given != NULL && b_given != NULL) {
        cli_usage(state, "%s and %s exclude each other", a, b);
    }
}

/* Returns whether the text is a connection string or a token, which everybody could read in the
 * new token. */
static bool is_credential(const char *text)
{
    return strcasestr(text, "HostName=") != NULL || strcasestr(text, "SharedAccess") != NULL;
}

static void check_contradictions(struct argp_state *state, const request *q)
{
    const char *as_cs = q->as_connection_string ? "" : NULL;
    const struct {
        const char *name;
        const void *given;
    } making[] = {
        { "--connection-string", q->connection_string },
        { "--as-connection-string", as_cs },
        { "--resource", q->resource },
        { "--policy", q->policy },
        { "--ttl", q->ttl },
        { "--expiry", q->expiry },
    };

    for (size_t i = 0; i < sizeof making / sizeof making[0]; i++) {
        refuse_pair(state, "--inspect", q->inspect, making[i].name, making[i].given);
    }
    refuse_pair(state, "--ttl", q->ttl, "--expiry", q->expiry);
    refuse_pair(state, "--resource", q->resource, "--connection-string", q->connection_string);
    refuse_pair(state, "--resource", q->resource, "--as-connection-string", as_cs);
}

static bool is_dash(const char *text)
{
    return text != NULL && strcmp(text, "-") == 0;
}

static void check_completeness(struct argp_state *state, request *q)
{
    if (q->resource != NULL && q->key == NULL) {
        cli_usage(state, "--resource needs --key");
    }
    if (q->resource == NULL && q->inspect == NULL && (q->key != NULL || q->policy != NULL)) {
        cli_usage(state, "%s needs --resource", q->key != NULL ? "--key" : "--policy");
    }
    if (is_dash(q->inspect) && is_dash(q->key)) {
        cli_usage(state, "only one of --inspect and --key can come from standard input");
    }
    if (q->resource != NULL && *q->resource == '\0') {
        cli_usage(state, "--resource is empty");
    }
    if (q->resource != NULL && is_credential(q->resource)) {
        cli_usage(state,
                  "--resource is a connection string or a token, not what it is for, such as "
                  "myhub.azure-devices.net/devices/d1");
    }
    if (q->policy != NULL && *q->policy == '\0') {
        cli_usage(state, "--policy is empty");
    }
    if (q->resource == NULL && q->inspect == NULL && q->connection_string == NULL) {
        q->connection_string = getenv(DEVICE_ENV);
        if (q->connection_string == NULL || *q->connection_string == '\0') {
            cli_usage(state, "no connection string: give --connection-string or set " DEVICE_ENV);
        }
    }
}

static void read_numbers(struct argp_state *state, request *q)
{
    q->ttl_s = DEFAULT_TTL_S;
    if (q->ttl != NULL && !cli_number(q->ttl, 1, TTL_MAX_S, &q->ttl_s)) {
        cli_usage(state, "--ttl is not a number of seconds from 1 to %llu",
                  (unsigned long long)TTL_MAX_S);
    }
    if (q->expiry != NULL && !cli_number(q->expiry, 1, UINT64_MAX, &q->expiry_s)) {
        cli_usage(state, "--expiry is not a number of seconds since 1970");
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): argp prescribes the type */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;

    switch (key) {
    case OPT_CS: q->connection_string = arg; return 0;
    case OPT_TTL: q->ttl = arg; return 0;
    case OPT_EXPIRY: q->expiry = arg; return 0;
    case OPT_AS_CS: q->as_connection_string = true; return 0;
    case OPT_RESOURCE: q->resource = arg; return 0;
    case OPT_KEY: q->key = arg; return 0;
    case OPT_POLICY: q->policy = arg; return 0;
    case OPT_INSPECT: q->inspect = arg; return 0;
    case ARGP_KEY_ARG:
        cli_usage(state, "unexpected argument %u; a connection string follows --connection-string",
                  state->arg_num + 1);
    case ARGP_KEY_END:
        check_contradictions(state, q);
        check_completeness(state, q);
        read_numbers(state, q);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* --- work ---------------------------------------------------------------- */

static int find_expiry(request *q)
{
    if (q->expiry == NULL) {
        const plat_clock *clock = plat_posix()->clock;
        int64_t now = clock->wall_s(clock);
        if (now < FIRST_PLAUSIBLE_TIME) {
            return cli_error("the clock of this machine is not set; use --expiry");
        }
        q->expiry_s = (uint64_t)now + q->ttl_s;
    }
    return EXIT_SUCCESS;
}

static void print_part(const char *name, mqc_span value)
{
    if (value.len != 0) {
        printf("%s=%.*s;", name, (int)value.len, (const char *)value.ptr);
    }
}

static void print_connection_string(const iothub_connection_string *cs, const char *token)
{
    print_part("HostName", cs->host_name);
    print_part("GatewayHostName", cs->gateway_host_name);
    print_part("DeviceId", cs->device_id);
    print_part("ModuleId", cs->module_id);
    print_part("SharedAccessKeyName", cs->policy_name);
    printf("SharedAccessSignature=%s\n", token);
}

static int make_for_connection_string(const request *q, const char *text)
{
    char token[IOTHUB_SAS_TOKEN_SIZE];
    iothub_connection_string cs;
    iothub_error err;

    iothub_result r = iothub_connection_string_parse(&cs, text, &err);
    if (r == IOTHUB_OK) {
        r = iothub_sas_build_for(plat_posix()->crypto, &cs, q->expiry_s, token, sizeof token, NULL,
                                 &err);
    }
    if (r != IOTHUB_OK) {
        return cli_error("%s", err.text);
    }
    if (q->as_connection_string) {
        print_connection_string(&cs, token);
    } else {
        puts(token);
    }
    return cli_finish();
}

static int make_for_resource(const request *q, const char *key)
{
    const iothub_sas_grant grant = {
        .resource = mqc_span_str(q->resource),
        .key = mqc_span_str(key),
        .policy = mqc_span_str(q->policy),
        .expiry_s = q->expiry_s,
    };
    /* Each byte may become three bytes; 256 bytes are enough for the rest of a token. */
    size_t cap = 3 * (grant.resource.len + grant.policy.len) + 256;
    char *token = malloc(cap);
    iothub_error err = { .text = "out of memory" };

    if (token == NULL ||
        iothub_sas_build(plat_posix()->crypto, &grant, token, cap, NULL, &err) != IOTHUB_OK) {
        free(token);
        return cli_error("%s", err.text);
    }
    puts(token);
    free(token);
    return cli_finish();
}

static int inspect(const request *q)
{
    char *token = cli_text(q->inspect, "token");
    char *key = q->key != NULL ? cli_text(q->key, "key") : NULL;
    int status = EXIT_FAILURE;

    if (token != NULL && (key != NULL || q->key == NULL)) {
        status = inspect_token(token, key);
    }
    cli_forget_text(key);
    cli_forget_text(token);
    return status;
}

static int make(request *q)
{
    bool for_resource = q->resource != NULL;
    char *secret = for_resource ? cli_text(q->key, "key")
                                : cli_text(q->connection_string, "connection string");
    int status = EXIT_FAILURE;

    if (secret != NULL && find_expiry(q) == EXIT_SUCCESS) {
        status =
            for_resource ? make_for_resource(q, secret) : make_for_connection_string(q, secret);
    }
    cli_forget_text(secret);
    return status;
}

int run_sas_token(int argc, char **argv, void *context)
{
    static const struct argp argp = { .options = options, .parser = parse, .doc = doc };
    request q = { 0 };

    (void)context;
    cli_parse(&argp, argc, argv, 0, &q);
    return q.inspect != NULL ? inspect(&q) : make(&q);
}
