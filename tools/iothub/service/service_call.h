#ifndef SERVICE_SERVICE_CALL_H
#define SERVICE_SERVICE_CALL_H

/**
 * @file
 * What the commands of `iothub service` share: options, arguments, one call of the hub, output.
 */

#include <argp.h>
#include <cjson/cJSON.h>

#include "hub/rest.h"
#include "hub/target.h"

/** Options that every command of the service side takes; the input of service_argp. */
typedef struct service_options {
    uint16_t rest_port;
} service_options;

/** The defaults, from the environment.  False after a complaint about it. */
bool service_options_default(service_options *o);

/** Parser for these options, to be the first child of a command's own. */
extern const struct argp_child service_children[];

/** The words of a command line that are no options. */
typedef struct service_words {
    const char *items[3];
    size_t count;
} service_words;

/** Keep arg, or end with wrong usage when there are already max. */
void service_take_word(struct argp_state *state, service_words *w, size_t max, const char *arg);

/** given, or standard input when it is "-"; checked to be JSON.  NULL after a complaint; free it.
 */
char *service_json_input(const char *given, const char *what);

/**
 * Open, call, close.  EXIT_SUCCESS for a 2xx reply, which the caller frees;
 * EXIT_FAILURE after a complaint that explains the refusal, EXIT_USAGE without a
 * connection string.
 */
int service_call(const service_options *o, const rest_call *call, const hub_target *target,
                 rest_reply *reply);

/** Is the body one JSON value, without a NUL? */
bool service_reply_is_json(const rest_reply *reply);
/** Print JSON for people.  The text was checked; its numbers are printed as they stand there. */
int service_print(const char *text, size_t len);
/** Checks the body of a reply, prints it, and frees it. */
int service_print_reply(rest_reply *reply);

#endif
