#include "service/service_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/number.h"
#include "command/commands.h"
#include "hub/refusal.h"
#include "json/json_text.h"

#define PORT_ENV    "IOTHUB_REST_PORT"
#define WHITE_SPACE " \t\r\n\v\f"

enum { HTTPS_PORT = 443, OPT_REST_PORT = 512 };

/* --- the command line ------------------------------------------------------ */

static error_t parse_shared(int key, char *arg, struct argp_state *state)
{
    service_options *o = state->input;

    if (key != OPT_REST_PORT) {
        return ARGP_ERR_UNKNOWN;
    }
    o->rest_port = (uint16_t)cli_number_option(state, "rest-port", arg, 1, 65535);
    return 0;
}

static const struct argp_option shared_options[] = {
    { .name = "rest-port",
      .key = OPT_REST_PORT,
      .arg = "PORT",
      .doc = "HTTPS port of the hub (default: $" PORT_ENV ", which the emulator prints, or 443)" },
    { 0 },
};
static const struct argp shared_argp = { .options = shared_options, .parser = parse_shared };
const struct argp_child service_children[] = { { .argp = &shared_argp }, { 0 } };

bool service_options_default(service_options *o)
{
    return cli_port_of(PORT_ENV, HTTPS_PORT, &o->rest_port);
}

void service_take_word(struct argp_state *state, service_words *w, size_t max, const char *arg)
{
    if (w->count == max) {
        cli_usage(state, "unexpected argument %zu", w->count + 1);
    }
    w->items[w->count++] = arg;
}

/* --- calls ----------------------------------------------------------------- */

static bool is_json(const char *text)
{
    static const json_text_rules rules = { .depth_max = JSON_TEXT_DEPTH_MAX, .nul = true };

    return json_text_check((json_text){ text, strlen(text) }, &rules);
}

char *service_json_input(const char *given, const char *what)
{
    size_t len = strlen(given);
    char *text = strcmp(given, "-") == 0 ? cli_all(what, &len) : strdup(given);

    if (text == NULL) {
        return NULL;
    }
    const char *mark = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    (void)memmove(text, mark, len + 1 - (size_t)(mark - text));
    len -= (size_t)(mark - text);
    if (strspn(text, WHITE_SPACE) == len) {
        cli_error("the %s%s is not JSON: it is empty", what,
                  strcmp(given, "-") == 0 ? " on standard input" : "");
        free(text);
        return NULL;
    }
    if (len != strlen(text) || !is_json(text)) {
        cli_error("the %s is not JSON; %s", what,
                  strpbrk(text, "{[\"") != NULL
                      ? "put the names and texts in it in double quotes, and all of it in single "
                        "quotes for a shell"
                      : "to read it from a file, write - <FILE in its position");
        free(text);
        return NULL;
    }
    return text;
}

int service_call(const service_options *o, const rest_call *call, const hub_target *target,
                 rest_reply *reply)
{
    const char *connection_string = getenv(REST_SERVICE_ENV);
    int status = EXIT_FAILURE;

    if (connection_string == NULL || *connection_string == '\0') {
        cli_error(REST_SERVICE_ENV " is not set; see iothub service --help");
        return CLI_EXIT_USAGE;
    }
    rest *r = rest_open(o->rest_port);
    if (r != NULL && rest_perform(r, call, reply)) {
        if (reply->status >= 200 && reply->status < 300) {
            status = EXIT_SUCCESS;
        } else {
            hub_explain_refusal(reply, call->path, target);
            rest_reply_free(reply);
        }
    }
    rest_close(r);
    return status;
}

int service_print(const char *text, size_t len)
{
    char *laid_out = NULL;
    size_t laid_out_len;
    cli_json json = { .len = 0 };
    FILE *f = open_memstream(&laid_out, &laid_out_len);

    if (f == NULL) {
        return cli_error("out of memory");
    }
    json_text_print(f, (json_text){ text, len });
    if (fclose(f) != 0) {
        free(laid_out);
        return cli_error("out of memory");
    }
    /* Formatted text, which may not be UTF-8. */
    cli_put_json(stdout, &json, laid_out, laid_out_len);
    cli_put_json_end(stdout, &json);
    free(laid_out);
    putchar('\n');
    return cli_finish();
}

bool service_reply_is_json(const rest_reply *reply)
{
    return strlen(reply->body) == reply->len && is_json(reply->body);
}

int service_print_reply(rest_reply *reply)
{
    int status = service_reply_is_json(reply) ? service_print(reply->body, reply->len)
                                              : cli_error("the hub's answer is not JSON");

    rest_reply_free(reply);
    return status;
}
