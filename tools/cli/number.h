#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

/**
 * @file
 * Parses numbers of a command line or an environment variable. There is one strict grammar: decimal
 * digits alone, without sign, blanks, exponent or prefix.
 */

#include <stdbool.h>
#include <stdint.h>

/** Returns false if the text is anything but digits, or the number is outside min .. max. */
bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/**
 * Parses a number with an optional fraction of up to nine digits ("0.5", ".5", "20"). Accepts 0,
 * and numbers from min to max.
 */
bool cli_rate(const char *text, double min, double max, double *out);

/**
 * Sets *out to the port in the environment variable `name`, or to `fallback` if it is not set or
 * empty. Returns false after printing an error if it is not a number from 1 to 65535.
 */
bool cli_port_of(const char *name, uint16_t fallback, uint16_t *out);

#endif
