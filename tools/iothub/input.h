#ifndef TOOL_INPUT_H
#define TOOL_INPUT_H

/**
 * @file
 * What users hand in: numbers, and secrets that may come by standard input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Digits alone; false for anything else and for numbers outside min .. max. */
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/**
 * given itself, or when it is "-" the first line of standard input without white
 * space around it.  Allocated; free it with forget.  NULL after a complaint that
 * calls the thing what.
 */
char *input_text(const char *given, const char *what);

/** Everything on standard input, NUL-terminated; free it.  NULL after a complaint. */
char *input_all(const char *what, size_t *len);

/** Overwrite a text that may be secret and free it.  NULL is fine. */
void forget(char *text);

#endif
