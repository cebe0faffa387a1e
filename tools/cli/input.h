#ifndef CLI_INPUT_H
#define CLI_INPUT_H

/**
 * @file
 * Reads input of users: arguments, standard input, files. It may be secret, so it is read without
 * stdio, whose buffers cannot be erased, and it is overwritten before its memory is freed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Returns the word `given` without white space around it. If that is "-", returns the first line of
 * standard input that is not blank, without white space and byte order mark around it. The caller
 * frees the text with cli_forget_text. Returns NULL after printing an error that calls the text
 * `what`.
 */
char *cli_text(const char *given, const char *what);

/**
 * Returns all bytes of standard input, up to 4 MB, followed by a NUL. The caller frees them with
 * cli_forget(text, *len). Returns NULL after printing an error.
 */
char *cli_all(const char *what, size_t *len);

/**
 * A list in a file with one entry per line. CLI_LINE_MAX is the longest line, including its white
 * space.
 */
enum { CLI_LINE_MAX = 16 * 1024 };

typedef struct cli_list {
    const char *name; /* name of the file for messages; the string of cli_list_open, not a copy */
    size_t line;      /* number of the line that was returned last; the first is 1 */

    int fd;
    size_t start, end; /* positions of the bytes in buffer that were not returned yet */
    bool at_end;
    char buffer[CLI_LINE_MAX + 1];
} cli_list;

typedef enum cli_list_result {
    CLI_LIST_ENTRY,
    CLI_LIST_END,
    CLI_LIST_FAILED /* reported */
} cli_list_result;

/**
 * Opens a file, or standard input for "-". Returns false after printing an error; then there is
 * nothing to close.
 */
bool cli_list_open(cli_list *l, const char *file);

/**
 * Finds the next line that is neither blank nor a comment (which begins with '#'). *entry is the
 * line without white space around it, NUL-terminated and valid until the next call. Line ends may
 * be \n or \r\n, the last one may be missing, and the file may begin with a byte order mark.
 */
cli_list_result cli_list_next(cli_list *l, char **entry);

/** Closes the file and erases the buffer. */
void cli_list_close(cli_list *l);

#endif
