#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

/**
 * @file
 * Numbers of a command line or an environment variable. There is one strict grammar: decimal
 * digits alone, without sign, blanks, exponent or prefix.
 */

#include <stdbool.h>
#include <stdint.h>

/** Returns false for anything but digits, and for numbers outside min .. max. */
bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/**
 * The same with an optional fraction of up to nine digits ("0.5", ".5", "20"). Accepts 0 and
 * numbers from min to max.
 */
bool cli_rate(const char *text, double min, double max, double *out);

/**
 * The port in the environment variable `name`, or `fallback` if it is not set or empty. Returns
 * false after a report if it is not a number from 1 to 65535.
 */
bool cli_port_of(const char *name, uint16_t fallback, uint16_t *out);

#endif
