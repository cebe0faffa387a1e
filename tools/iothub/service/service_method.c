/* `iothub service method` */

#include "service/service_method.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/commands.h"
#include "service/service_call.h"
#include "json/json_text.h"

enum { OPT_TIMEOUT = 256, DEFAULT_TIMEOUT_S = 30, SPARE_TIME_S = 15 };

typedef struct method_input {
    service_options *shared;
    service_words words; /* the words TARGET NAME [JSON] */
    hub_target target;
    uint64_t timeout_s;
} method_input;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    method_input *in = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = in->shared; return 0;
    case ARGP_KEY_ARG: service_take_word(state, &in->words, 3, arg); return 0;
    case OPT_TIMEOUT: in->timeout_s = cli_number_option(state, "timeout", arg, 5, 300); return 0;
    case ARGP_KEY_END:
        if (in->words.count < 2 || *in->words.items[1] == '\0') {
            cli_usage(state, "give a DEVICE and the NAME of a method");
        }
        hub_target_read(state, in->words.items[0], &in->target);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The payload is copied into the request unchanged, so that numbers keep every digit. */
static char *request_body(const method_input *in, const char *payload)
{
    cJSON *json = cJSON_CreateObject();
    char *body = NULL;

    if (cJSON_AddStringToObject(json, "methodName", in->words.items[1]) != NULL &&
        cJSON_AddNumberToObject(json, "responseTimeoutInSeconds", (double)in->timeout_s) != NULL &&
        (payload == NULL || cJSON_AddRawToObject(json, "payload", payload) != NULL)) {
        body = cJSON_PrintUnformatted(json);
    }
    if (body == NULL) {
        cli_error("out of memory");
    }
    cJSON_Delete(json);
    return body;
}

/* Reads a status, which may be any 32-bit integer. Returns false for everything else. */
static bool read_status(json_text text, long *status)
{
    char digits[16];
    char *end;

    if (text.ptr == NULL || text.len >= sizeof digits) {
        return false;
    }
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    errno = 0;
    *status = strtol(digits, &end, 10);
    return *end == '\0' && errno == 0 && *status >= INT32_MIN && *status <= INT32_MAX;
}

static int print_parts(json_text answer)
{
    const json_text payload = json_text_member(answer, "payload");
    long status;

    if (!read_status(json_text_member(answer, "status"), &status)) {
        return cli_error("the hub's answer has no status");
    }
    int result = payload.ptr != NULL ? service_print(payload.ptr, payload.len) : cli_finish();
    fprintf(stderr, "status %ld\n", status);
    return status >= 200 && status <= 299 ? result : EXIT_FAILURE;
}

static int print_answer(rest_reply *reply)
{
    int result = service_reply_is_json(reply) ? print_parts((json_text){ reply->body, reply->len })
                                              : cli_error("the hub's answer is not JSON");

    rest_reply_free(reply);
    return result;
}

static int call_method(const method_input *in, const char *body)
{
    char *path = hub_target_path("/twins/", &in->target, "/methods?" REST_API_VERSION);
    const rest_call call = {
        .method = "POST",
        .path = path,
        .body = body,
        .timeout_s = (long)in->timeout_s + SPARE_TIME_S,
    };
    rest_reply reply = { 0 };
    int status = EXIT_FAILURE;

    if (path != NULL) {
        status = service_call(in->shared, &call, &in->target, &reply);
    }
    free(path);
    return status == EXIT_SUCCESS ? print_answer(&reply) : status;
}

int run_service_method(int argc, char **argv, void *context)
{
    static const struct argp_option options[] = {
        { .name = "timeout",
          .key = OPT_TIMEOUT,
          .arg = "SECONDS",
          .doc = "How long the device may take to answer, 5 to 300 (default: 30)" },
        { 0 },
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "DEVICE[/MODULE] NAME [JSON]",
        .doc = "Call a direct method with the payload JSON (- reads it from standard input), and "
               "print the payload of the answer."
               "\vThe device's status is printed to standard error.  The exit status is 0 if it is "
               "200 to 299, otherwise 1.\n\n"
               "Example:\n"
               "  iothub service method device1 reboot '{\"delay\": 5}'",
        .children = service_children,
    };
    method_input in = { .shared = context, .timeout_s = DEFAULT_TIMEOUT_S };
    char *payload = NULL;
    int status = EXIT_FAILURE;

    cli_parse(&argp, argc, argv, 0, &in);
    if (in.words.count == 3) {
        payload = service_json_input(in.words.items[2], "payload");
    }
    if (in.words.count < 3 || payload != NULL) {
        char *body = request_body(&in, payload);
        status = body != NULL ? call_method(&in, body) : EXIT_FAILURE;
        free(body);
    }
    free(payload);
    return status;
}
