/* The commands `iothub service twin get` and `update`. */

#include "service/service_twin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/commands.h"
#include "service/service_call.h"
#include "json/json_text.h"

enum { TWIN_TIMEOUT_S = 60 };

typedef struct twin_input {
    service_options *shared;
    service_words words; /* TARGET [JSON] */
    size_t wanted;
    hub_target target;
} twin_input;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    twin_input *in = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = in->shared; return 0;
    case ARGP_KEY_ARG: service_take_word(state, &in->words, in->wanted, arg); return 0;
    case ARGP_KEY_END:
        if (in->words.count < in->wanted) {
            cli_usage(state, in->words.count == 0 ? "DEVICE is missing" : "the JSON is missing");
        }
        hub_target_read(state, in->words.items[0], &in->target);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int call_and_print(const twin_input *in, const char *method, const char *body)
{
    char *path = hub_target_path("/twins/", &in->target, "?" REST_API_VERSION);
    const rest_call call = {
        .method = method, .path = path, .body = body, .timeout_s = TWIN_TIMEOUT_S
    };
    rest_reply reply = { 0 };
    int status = EXIT_FAILURE;

    if (path != NULL) {
        status = service_call(in->shared, &call, &in->target, &reply);
    }
    free(path);
    return status == EXIT_SUCCESS ? service_print_reply(&reply) : status;
}

static int run_get(int argc, char **argv, void *context)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "DEVICE[/MODULE]",
        .doc = "Print the twin of a device or module: tags, desired and reported properties.",
        .children = service_children,
    };
    twin_input in = { .shared = context, .wanted = 1 };

    cli_parse(&argp, argc, argv, 0, &in);
    return call_and_print(&in, "GET", NULL);
}

/* Returns true if the object already has the form of the REST interface, false if it has only
 * desired properties. */
static bool is_whole_twin(json_text update)
{
    const char *at = NULL;
    json_text name;
    json_text value;
    bool any = false;

    while (json_text_next(update, &at, &name, &value)) {
        bool part = json_text_is_name(name, "tags") || json_text_is_name(name, "properties");
        if (!part || *value.ptr != '{') {
            return false;
        }
        any = true;
    }
    return any;
}

/* Returns the body of the request. The JSON text is copied into it unchanged, so that numbers
 * keep every digit. */
static char *update_body(const char *text)
{
    char *body = NULL;

    if (text[strspn(text, " \t\r\n")] != '{') {
        cli_error("the update of a twin must be a JSON object");
    } else if (is_whole_twin((json_text){ text, strlen(text) })) {
        body = strdup(text);
    } else if (asprintf(&body, "{\"properties\":{\"desired\":%s}}", text) < 0) {
        cli_error("out of memory");
        body = NULL;
    }
    return body;
}

static int run_update(int argc, char **argv, void *context)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "DEVICE[/MODULE] JSON",
        .doc =
            "Merge JSON into the desired properties of a device or module, and print the new "
            "twin.  null deletes a property.  - reads the JSON from standard input."
            "\vExamples:\n"
            "  iothub service twin update device1 '{\"interval\": 5, \"old\": null}'\n"
            "  iothub service twin update device1 '{\"tags\": {\"floor\": 2}}'\n\n"
            "An object that contains only \"tags\" and \"properties\" objects is sent unchanged.",
        .children = service_children,
    };
    twin_input in = { .shared = context, .wanted = 2 };

    cli_parse(&argp, argc, argv, 0, &in);
    char *text = service_json_input(in.words.items[1], "update");
    char *body = text != NULL ? update_body(text) : NULL;
    int status = body != NULL ? call_and_print(&in, "PATCH", body) : EXIT_FAILURE;

    free(body);
    free(text);
    return status;
}

int run_service_twin(int argc, char **argv, void *context)
{
    static const command commands[] = {
        { "get", "Print a twin", run_get },
        { "update", "Change desired properties or tags", run_update },
    };
    static const command_group group = {
        .doc = "The twin of a device or module.",
        .commands = commands,
        .count = sizeof commands / sizeof commands[0],
        .children = service_children,
    };
    return run_group(&group, argc, argv, context);
}
