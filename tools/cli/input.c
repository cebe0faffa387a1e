#include "cli/input.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/secret.h"

/* Both are far above the limits of any hub. */
enum { TEXT_MAX = 64 * 1024, ALL_MAX = 4 * 1024 * 1024 };

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static const char *trim(const char *text, size_t *len)
{
    if (*len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
        text += 3;
        *len -= 3;
    }
    while (*len > 0 && isspace((unsigned char)*text)) {
        text++;
        (*len)--;
    }
    while (*len > 0 && isspace((unsigned char)text[*len - 1])) {
        (*len)--;
    }
    return text;
}

static char *trimmed_copy(const char *text, size_t len)
{
    const char *from = trim(text, &len);
    char *copy = strndup(from, len);

    if (copy == NULL) {
        (void)cli_error("out of memory");
    }
    return copy;
}

static const char *why_unreadable(int error)
{
    return error == EBADF ? "it is closed" : strerror(error);
}

/* Reads up to cap bytes, and fewer only at the end of the input. Returns -1 and sets errno on
 * failure. */
static ssize_t read_all(int fd, char *to, size_t cap)
{
    size_t len = 0;

    while (len < cap) {
        ssize_t got = read(fd, to + len, cap - len);
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    return (ssize_t)len;
}

/* --- one word ---------------------------------------------------------------- */

static char *first_line(const char *text, size_t len, const char *what)
{
    const char *from = trim(text, &len);
    const char *end = len > 0 ? memchr(from, '\n', len) : NULL;

    if (end != NULL) {
        len = (size_t)(end - from);
    }
    if (len > 0 && memchr(from, '\0', len) != NULL) {
        (void)cli_error("the %s on standard input is not text: it has a NUL byte", what);
        return NULL;
    }
    return trimmed_copy(from, len);
}

/* Reads one line from a terminal. From a pipe or file it reads everything, so that the writing
 * program does not fail at a closed pipe. */
static ssize_t read_word(char *to, const char *what)
{
    if (isatty(STDIN_FILENO)) {
        (void)cli_error("type the %s and press Enter", what);
        return read(STDIN_FILENO, to, TEXT_MAX + 1);
    }
    return read_all(STDIN_FILENO, to, TEXT_MAX + 1);
}

static char *word_of_standard_input(const char *what)
{
    char *buffer = malloc(TEXT_MAX + 1);
    char *text = NULL;

    if (buffer == NULL) {
        (void)cli_error("out of memory");
        return NULL;
    }
    ssize_t len = read_word(buffer, what);
    if (len < 0) {
        (void)cli_error("no %s on standard input: %s", what, why_unreadable(errno));
    } else if (len == 0) {
        (void)cli_error("no %s on standard input: it is empty", what);
    } else if (len > TEXT_MAX) {
        (void)cli_error("the %s on standard input is longer than %d bytes", what, TEXT_MAX);
    } else {
        text = first_line(buffer, (size_t)len, what);
    }
    cli_forget(buffer, TEXT_MAX + 1);
    return text;
}

char *cli_text(const char *given, const char *what)
{
    return strcmp(given, "-") == 0 ? word_of_standard_input(what)
                                   : trimmed_copy(given, strlen(given));
}

char *cli_all(const char *what, size_t *len)
{
    char *text = malloc(ALL_MAX + 1);

    if (text == NULL) {
        (void)cli_error("out of memory");
        return NULL;
    }
    ssize_t got = read_all(STDIN_FILENO, text, ALL_MAX + 1);
    if (got < 0 || got > ALL_MAX) {
        (void)cli_error("the %s on standard input cannot be used: %s", what,
                        got < 0 ? why_unreadable(errno) : "it is longer than 4 MB");
        cli_forget(text, ALL_MAX + 1);
        return NULL;
    }
    *len = (size_t)got;
    text[got] = '\0';
    return text;
}

/* --- a list -------------------------------------------------------------------- */

bool cli_list_open(cli_list *l, const char *file)
{
    bool is_stdin = strcmp(file, "-") == 0;

    l->name = is_stdin ? "standard input" : cli_shown(file, "the file of connection strings");
    l->line = 0;
    l->start = 0;
    l->end = 0;
    l->at_end = false;
    l->fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    if (l->fd >= 0) {
        return true;
    }
    if (strstr(file, "HostName=") != NULL) {
        (void)cli_error("give a file of connection strings, not a connection string");
    } else {
        (void)cli_error("%s: %s", l->name, strerror(errno));
    }
    return false;
}

static cli_list_result fail(const cli_list *l, const char *why)
{
    if (l->line > 0) {
        (void)cli_error("%s, line %zu: %s", l->name, l->line, why);
    } else {
        (void)cli_error("%s: %s", l->name, why);
    }
    return CLI_LIST_FAILED;
}

/* Moves the remaining bytes to the front and reads more after them. False after a failure. */
static bool refill(cli_list *l)
{
    l->end -= l->start;
    memmove(l->buffer, l->buffer + l->start, l->end);
    l->start = 0;
    ssize_t got = read(l->fd, l->buffer + l->end, CLI_LINE_MAX - l->end);
    if (got < 0) {
        l->line = 0;
        (void)fail(l, why_unreadable(errno));
        return false;
    }
    l->end += (size_t)got;
    l->at_end = got == 0;
    return true;
}

/* Finds the next line with its line end, which may be missing from the last line. */
static cli_list_result next_line(cli_list *l, char **line, size_t *len)
{
    for (;;) {
        char *from = l->buffer + l->start;
        size_t left = l->end - l->start;
        const char *end = left > 0 ? memchr(from, '\n', left) : NULL;
        if (end != NULL || (l->at_end && left > 0)) {
            *line = from;
            *len = end != NULL ? (size_t)(end - from) + 1 : left;
            l->start += *len;
            l->line++;
            return CLI_LIST_ENTRY;
        }
        if (l->at_end) {
            return CLI_LIST_END;
        }
        if (left == CLI_LINE_MAX) {
            l->line++;
            return fail(l, "longer than any connection string");
        }
        if (!refill(l)) {
            return CLI_LIST_FAILED;
        }
    }
}

/* Returns why the line is not text, or NULL. Files in other encodings contain zeros, and most
 * begin with a byte order mark. */
static const char *not_text(const char *line, size_t len)
{
    if (len >= 2 && (memcmp(line, "\xFF\xFE", 2) == 0 || memcmp(line, "\xFE\xFF", 2) == 0)) {
        return "the file is UTF-16; save it as UTF-8 or ASCII";
    }
    return memchr(line, '\0', len) != NULL ? "not text: it has a NUL byte" : NULL;
}

cli_list_result cli_list_next(cli_list *l, char **entry)
{
    char *line = NULL;
    size_t len = 0;

    for (;;) {
        cli_list_result r = next_line(l, &line, &len);
        if (r != CLI_LIST_ENTRY) {
            return r;
        }
        const char *why = not_text(line, len);
        if (why != NULL) {
            return fail(l, why);
        }
        const char *from = trim(line, &len);
        if (len > 0 && *from != '#') {
            /* The byte after the text is white space or the end of the buffer, so it can be
             * overwritten. */
            *entry = line + (from - line);
            (*entry)[len] = '\0';
            return CLI_LIST_ENTRY;
        }
    }
}

void cli_list_close(cli_list *l)
{
    if (l->fd != STDIN_FILENO) {
        (void)close(l->fd);
    }
    explicit_bzero(l->buffer, sizeof l->buffer);
}
