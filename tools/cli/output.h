#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/**
 * @file
 * Text on a terminal. What comes from a server, a file or the command line may hold bytes
 * that move the cursor or set colours: it is printed by these functions, which show such bytes
 * as escapes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * To be called first in main. Descriptors 0, 1 and 2 that the shell has closed are taken, so
 * that no file or socket gets their numbers; reading and writing them fails. At exit, standard
 * output is flushed: if that fails, the program reports it and ends with status 1.
 */
void cli_begin(void);

/** Flushes standard output. Returns EXIT_SUCCESS, or EXIT_FAILURE after one report. */
int cli_finish(void);

/**
 * Prints text for people: UTF-8 as it is, but control characters (C0, DEL, C1), the characters
 * that change the direction of writing, and bytes that are not UTF-8 as \n, \t, \xNN.
 */
void cli_put(FILE *f, const void *text, size_t len);

/** cli_put with a text that is NUL-terminated. */
void cli_puts(FILE *f, const char *text);

/** The UTF-8 sequence that a piece of JSON text ended in. Zero before the first piece. */
typedef struct cli_json {
    uint8_t pending[4];
    size_t len;
} cli_json;

/**
 * Prints JSON text unchanged but for control characters, which become \uNNNN (white space
 * between tokens stays), and for bytes that are not UTF-8, which become \ufffd. Pieces may end
 * anywhere; cli_put_json_end prints what is left of an incomplete sequence.
 */
void cli_put_json(FILE *f, cli_json *j, const void *text, size_t len);
void cli_put_json_end(FILE *f, cli_json *j);

/** Sets the name before each message; without it, it is the file name of the program. NULL: that.
 */
void cli_set_name(const char *name);

/**
 * Prints "name: text" and a line end to standard error, as cli_put does, up to 1000
 * characters. Returns EXIT_FAILURE.
 */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
