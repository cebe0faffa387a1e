#ifndef SERVICE_SERVICE_CALL_H
#define SERVICE_SERVICE_CALL_H

/**
 * @file
 * Code that the commands of `iothub service` share: options, arguments, one call of the hub,
 * output.
 */

#include <argp.h>
#include <cjson/cJSON.h>

#include "hub/rest.h"
#include "hub/target.h"

/** Options that every command of the service side has; the input of service_argp. */
typedef struct service_options {
    uint16_t rest_port;
} service_options;

/** Sets the defaults from the environment. Returns false after printing an error about it. */
bool service_options_default(service_options *o);

/** The parser of these options; it must be the first child of each command's parser. */
extern const struct argp_child service_children[];

/** The words of a command line that are not options. */
typedef struct service_words {
    const char *items[3];
    size_t count;
} service_words;

/** Stores arg. Ends the program with a message about wrong usage if there are already max words. */
void service_take_word(struct argp_state *state, service_words *w, size_t max, const char *arg);

/**
 * Returns `given`, or standard input if it is "-", after checking that it is JSON. The caller frees
 * it. Returns NULL after printing an error.
 */
char *service_json_input(const char *given, const char *what);

/**
 * Opens a connection, makes one call and closes it. Returns EXIT_SUCCESS for a 2xx reply, which the
 * caller frees; EXIT_FAILURE after printing why the hub refused it; EXIT_USAGE without a connection
 * string.
 */
int service_call(const service_options *o, const rest_call *call, const hub_target *target,
                 rest_reply *reply);

/** Returns whether the body is one JSON value without a NUL. */
bool service_reply_is_json(const rest_reply *reply);
/** Prints JSON for people. The text must have been checked; its numbers are printed unchanged. */
int service_print(const char *text, size_t len);
/** Checks the body of a reply, prints it, and frees it. */
int service_print_reply(rest_reply *reply);

#endif
