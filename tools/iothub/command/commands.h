#ifndef COMMAND_COMMANDS_H
#define COMMAND_COMMANDS_H

/**
 * @file
 * A program that has commands, which may have commands of their own, each with an argp parser.
 */

#include "cli/args.h"
#include "cli/output.h"

typedef struct command {
    const char *name;
    const char *summary; /* one line for the list in --help */
    /** argv[0] is the whole name, for example "iothub service method". */
    int (*run)(int argc, char **argv, void *context);
} command;

typedef struct command_group {
    const char *doc; /* printed before the list in --help */
    const char *end; /* printed after everything else, or NULL */
    const command *commands;
    size_t count;
    const struct argp_child *children; /* one parser for options before the command, or NULL */
} command_group;

/**
 * Parses options up to the first word, which is the command, and runs the command with the rest.
 * context is the input of the child parser and of the command.
 */
int run_group(const command_group *group, int argc, char **argv, void *context);

#endif
