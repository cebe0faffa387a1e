#ifndef CLI_INPUT_H
#define CLI_INPUT_H

/**
 * @file Reads input of users: arguments, standard input, files. It may be secret, so it is read
 * without stdio, whose buffers cannot be erased, and it is overwritten before its memory is freed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The word `given` without white space around it. If that is "-", instead the first line of
 * standard input that is not blank, without white space and byte order mark around it. Allocated;
 * free it with cli_forget_text. NULL after a report that names the thing `what`.
 */
char *cli_text(const char *given, const char *what);

/**
 * All bytes of standard input up to 4 MB, and a NUL behind them. Free it with cli_forget(text,
 * *len). NULL after a report.
 */
char *cli_all(const char *what, size_t *len);

/** A list in a file: one entry a line, longest line included with its white space. */
enum { CLI_LINE_MAX = 16 * 1024 };

typedef struct cli_list {
    const char *name; /* of the file, for messages; borrowed from cli_list_open */
    size_t line;      /* number of the line that was returned last, from 1 */

    int fd;
    size_t start, end; /* of the bytes in buffer that were not returned yet */
    bool at_end;
    char buffer[CLI_LINE_MAX + 1];
} cli_list;

typedef enum cli_list_result {
    CLI_LIST_ENTRY,
    CLI_LIST_END,
    CLI_LIST_FAILED /* reported */
} cli_list_result;

/** Opens a file, or standard input for "-". False after a report; then there is nothing to close.
 */
bool cli_list_open(cli_list *l, const char *file);

/**
 * The next line that is neither blank nor a comment (its first character is '#'), without white
 * space around it and NUL-terminated. Line ends may be \n or \r\n, the last may be absent, and a
 * byte order mark may begin the file. *entry is valid until the next call.
 */
cli_list_result cli_list_next(cli_list *l, char **entry);

/** Closes the file and erases the buffer. */
void cli_list_close(cli_list *l);

#endif
