#ifndef CLI_ARGS_H
#define CLI_ARGS_H

/**
 * @file Command lines. An error message never repeats an argument that was not understood, since it
 * may be a key in the wrong position.
 */

#include <argp.h>
#include <stdint.h>

/** The exit status for wrong usage. */
enum { CLI_EXIT_USAGE = 2 };

/**
 * argp_parse, after a check of the options: getopt would print what it does not know. Ends the
 * program with CLI_EXIT_USAGE after a message for wrong usage, and with 0 after --help, --usage and
 * --version.
 */
void cli_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input);

/** Prints "name: text; see name --help" and ends the program with CLI_EXIT_USAGE. */
void cli_usage(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/** The value of --name as a number; ends with wrong usage if it is none from min to max. */
uint64_t cli_number_option(const struct argp_state *state, const char *name, const char *text,
                           uint64_t min, uint64_t max);

#endif
