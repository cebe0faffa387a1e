#ifndef TOOL_SERVICE_H
#define TOOL_SERVICE_H

/**
 * @file
 * `iothub service` and what its commands share.
 */

#include <argp.h>
#include <cjson/cJSON.h>

#include "hub/rest.h"

/** Options that every command of the service side takes; the input of service_argp. */
typedef struct service_options {
    uint16_t rest_port;
} service_options;

/** Parser for these options, to be the first child of a command's own. */
extern const struct argp_child service_children[];

/** Whom a command is about: DEVICE, or DEVICE/MODULE.  An empty module: the device itself. */
typedef struct service_target {
    char device[129];
    char module[129];
} service_target;

/** The words of a command line that are no options. */
typedef struct service_words {
    const char *items[3];
    size_t count;
} service_words;

/** Keep arg, or end with wrong usage when there are already max. */
void service_take_word(struct argp_state *state, service_words *w, size_t max, const char *arg);

/** Take DEVICE[/MODULE] apart, or end with wrong usage. */
void service_read_target(struct argp_state *state, const char *arg, service_target *target);

/** head, the target as a path, tail: free it.  For "/twins/" and "/methods?..". */
char *service_path(const char *head, const service_target *target, const char *tail);

/** given, or standard input when it is "-"; checked to be JSON.  NULL after a complaint; free it.
 */
char *service_json_input(const char *given, const char *what);

/**
 * Open, call, close.  EXIT_SUCCESS for a 2xx reply, which the caller frees;
 * EXIT_FAILURE after a complaint that explains the refusal, EXIT_USAGE without a
 * connection string.
 */
int service_call(const service_options *o, const rest_call *call, const service_target *target,
                 rest_reply *reply);

/** Is the body one JSON value, without a NUL? */
bool service_reply_is_json(const rest_reply *reply);
/** Print JSON for people.  The text was checked; its numbers are printed as they stand there. */
int service_print(const char *text, size_t len);
/** Check the body of a reply, print it, and free it. */
int service_print_reply(rest_reply *reply);

int run_service(int argc, char **argv, void *context);
int run_service_twin(int argc, char **argv, void *context);
int run_service_method(int argc, char **argv, void *context);
int run_service_c2d(int argc, char **argv, void *context);
int run_service_monitor(int argc, char **argv, void *context);

#endif
