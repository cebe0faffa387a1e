#ifndef TOOL_COMMANDS_H
#define TOOL_COMMANDS_H

/**
 * @file
 * A program of commands inside commands, each with an argp parser of its own.
 */

#include <argp.h>

/** How a command ends, and the program with it. */
enum { EXIT_USAGE = 2 };

typedef struct command {
    const char *name;
    const char *summary; /* one line in the list of --help */
    /** argv[0] is the whole name, e.g. "iothub service method". */
    int (*run)(int argc, char **argv, void *context);
} command;

typedef struct command_group {
    const char *doc; /* shown above the list */
    const char *end; /* shown below everything, or NULL */
    const command *commands;
    size_t count;
    const struct argp_child *children; /* one parser for options before the command, or NULL */
} command_group;

/**
 * Parse options up to the first word, take that for a command and run it with
 * what follows.  context is the input of the child parser and of the command.
 */
int run_group(const command_group *group, int argc, char **argv, void *context);

/** Print "iothub: text" to standard error and return EXIT_FAILURE. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Flush standard output; EXIT_SUCCESS, or a complaint when it could not be written. */
int finish_output(void);

/** For atexit: --help and --version end inside argp, and fail all the same when nobody gets them.
 */
void finish_output_at_exit(void);

#endif
