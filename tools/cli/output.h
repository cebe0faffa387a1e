#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/**
 * @file
 * Prints text on a terminal. Text from a server, a file or the command line may contain bytes that
 * move the cursor or set colours. These functions print such bytes as escapes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * Must be called first in main. It opens descriptors 0, 1 and 2 if the shell has closed them, so
 * that no file or socket gets their numbers; reading and writing them fails. At exit, standard
 * output is flushed; if that fails, the program prints an error and ends with status 1.
 */
void cli_begin(void);

/** Flushes standard output. Returns EXIT_SUCCESS, or EXIT_FAILURE after printing an error. */
int cli_finish(void);

/**
 * Prints text for people. UTF-8 is printed unchanged, but control characters (C0, DEL, C1),
 * characters that change the direction of writing, and bytes that are not UTF-8 are printed as \n,
 * \t, \xNN.
 */
void cli_put(FILE *f, const void *text, size_t len);

/** Calls cli_put with a NUL-terminated text. */
void cli_puts(FILE *f, const char *text);

/**
 * The incomplete UTF-8 sequence at the end of a piece of JSON text. Must be zero before the first
 * piece.
 */
typedef struct cli_json {
    uint8_t pending[4];
    size_t len;
} cli_json;

/**
 * Prints JSON text. Control characters become \uNNNN (except white space between tokens), and bytes
 * that are not UTF-8 become \ufffd; everything else is unchanged. Pieces may end anywhere; after
 * the last one, cli_put_json_end prints what is left of an incomplete sequence.
 */
void cli_put_json(FILE *f, cli_json *j, const void *text, size_t len);
void cli_put_json_end(FILE *f, cli_json *j);

/**
 * Sets the name that begins each message. NULL, the default, selects the file name of the program.
 */
void cli_set_name(const char *name);

/**
 * Prints "name: text" and a line end to standard error, escaped as by cli_put, up to 1000
 * characters. Returns EXIT_FAILURE.
 */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
