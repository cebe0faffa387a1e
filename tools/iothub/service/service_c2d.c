/* `iothub service c2d` */

#include "service/service_c2d.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "command/commands.h"
#include "hub/refusal.h"
#include "platform/platform.h"
#include "service/service_call.h"

enum { OPT_PROPERTY = 'p', OPT_MESSAGE_ID = 256, OPT_TTL, MESSAGE_TIMEOUT_S = 60 };

typedef struct message_input {
    service_options *shared;
    service_words words; /* DEVICE TEXT */
    hub_target target;
    cJSON *json; /* the body of the request, built while the options are read */
    cJSON *properties;
} message_input;

static void add_property(struct argp_state *state, message_input *in, const char *arg)
{
    const char *equals = strchr(arg, '=');

    if (equals == NULL || equals == arg) {
        cli_usage(state, "--property is not NAME=VALUE");
    }
    char *name = strndup(arg, (size_t)(equals - arg));
    if (name != NULL && cJSON_GetObjectItemCaseSensitive(in->properties, name) != NULL) {
        cli_usage(state, "--property: the same name is given twice");
    }
    if (name == NULL || cJSON_AddStringToObject(in->properties, name, equals + 1) == NULL) {
        exit(cli_error("out of memory"));
    }
    free(name);
}

static void add_ttl(struct argp_state *state, message_input *in, const char *arg)
{
    uint64_t ttl = cli_number_option(state, "ttl", arg, 1, 172800);

    (void)cJSON_DeleteItemFromObject(in->json, "ttlSeconds");
    (void)cJSON_AddNumberToObject(in->json, "ttlSeconds", (double)ttl);
}

static void check(struct argp_state *state, message_input *in)
{
    if (in->words.count < 2) {
        cli_usage(state, "give a DEVICE and a TEXT");
    }
    hub_target_read(state, in->words.items[0], &in->target);
    if (in->target.module[0] != '\0') {
        cli_usage(state, "messages can be sent to devices, not to modules");
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    message_input *in = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = in->shared; return 0;
    case ARGP_KEY_ARG: service_take_word(state, &in->words, 2, arg); return 0;
    case OPT_PROPERTY: add_property(state, in, arg); return 0;
    case OPT_TTL: add_ttl(state, in, arg); return 0;
    case OPT_MESSAGE_ID:
        (void)cJSON_DeleteItemFromObject(in->json, "messageId");
        (void)cJSON_AddStringToObject(in->json, "messageId", arg);
        return 0;
    case ARGP_KEY_END: check(state, in); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Always encoded as base64, since the content of a file may not be text. */
static bool add_body(cJSON *json, const char *body, size_t len)
{
    const plat_crypto *crypto = plat_posix()->crypto;
    size_t cap = (len + 2) / 3 * 4 + 1;
    char *encoded = malloc(cap);
    size_t used = 0;
    bool good = encoded != NULL &&
                crypto->base64_encode(crypto, body, len, encoded, cap - 1, &used) == PLAT_OK;

    if (good) {
        encoded[used] = '\0';
        good = cJSON_AddStringToObject(json, "bodyBase64", encoded) != NULL;
    }
    free(encoded);
    return good;
}

static char *request_body(message_input *in)
{
    const char *given = in->words.items[1];
    bool from_stdin = strcmp(given, "-") == 0;
    size_t len = strlen(given);
    char *text = from_stdin ? cli_all("text", &len) : NULL;
    char *body = NULL;

    if (from_stdin && text == NULL) {
        return NULL;
    }
    if (add_body(in->json, from_stdin ? text : given, len)) {
        body = cJSON_PrintUnformatted(in->json);
    }
    if (body == NULL) {
        cli_error("out of memory");
    }
    free(text);
    return body;
}

static int send_message(message_input *in)
{
    char *path =
        hub_target_path(EMULATOR_PATH "devices/", &in->target, "/messages?" REST_API_VERSION);
    char *body = request_body(in);
    const rest_call call = {
        .method = "POST", .path = path, .body = body, .timeout_s = MESSAGE_TIMEOUT_S
    };
    rest_reply reply = { 0 };
    int status = EXIT_FAILURE;

    if (path != NULL && body != NULL) {
        status = service_call(in->shared, &call, &in->target, &reply);
    }
    free(path);
    free(body);
    return status == EXIT_SUCCESS ? service_print_reply(&reply) : status;
}

int run_service_c2d(int argc, char **argv, void *context)
{
    static const struct argp_option options[] = {
        { .name = "property",
          .key = OPT_PROPERTY,
          .arg = "NAME=VALUE",
          .doc = "An application property; may be repeated" },
        { .name = "message-id", .key = OPT_MESSAGE_ID, .arg = "ID", .doc = "The message id" },
        { .name = "ttl",
          .key = OPT_TTL,
          .arg = "SECONDS",
          .doc = "How long the message waits for the device (default: 3600)" },
        { 0 },
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "DEVICE TEXT",
        .doc = "Send a cloud-to-device message (- reads TEXT from standard input).  Emulator only: "
               "a hub in the cloud accepts messages over AMQP only."
               "\vExample:\n"
               "  iothub service c2d device1 \"hello\" --property colour=blue",
        .children = service_children,
    };
    message_input in = { .shared = context, .json = cJSON_CreateObject() };

    in.properties = cJSON_AddObjectToObject(in.json, "properties");
    if (in.properties == NULL) {
        return cli_error("out of memory");
    }
    cli_parse(&argp, argc, argv, 0, &in);
    int status = send_message(&in);
    cJSON_Delete(in.json);
    return status;
}
