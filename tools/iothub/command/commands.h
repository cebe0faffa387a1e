#ifndef COMMAND_COMMANDS_H
#define COMMAND_COMMANDS_H

/**
 * @file
 * A program of commands inside commands, each with an argp parser of its own.
 */

#include "cli/args.h"
#include "cli/output.h"

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

#endif
