#ifndef CLI_ARGS_H
#define CLI_ARGS_H

/**
 * @file
 * Parsing of command lines. An error message never repeats an argument that was not understood,
 * since it may be a key in the wrong position.
 */

#include <argp.h>
#include <stdint.h>

/** The exit status for wrong usage. */
enum { CLI_EXIT_USAGE = 2 };

/**
 * Calls argp_parse after checking the options itself, because getopt would print an unknown one.
 * Ends the program with CLI_EXIT_USAGE after a message about wrong usage, and with 0 after --help,
 * --usage and --version.
 */
void cli_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/** Prints "name: text; see name --help" and ends the program with CLI_EXIT_USAGE. */
void cli_usage(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/**
 * Returns the value of --name as a number. If it is not a number from min to max, ends the program
 * with a message about wrong usage.
 */
uint64_t cli_number_option(const struct argp_state *state, const char *name, const char *text,
                           uint64_t min, uint64_t max);

#endif
