#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1000 };

static const char *own_name;

/* --- standard streams ---------------------------------------------------- */

/* Opens /dev/null for the opposite direction, so that using the descriptor fails with EBADF as
 * if it were closed. */
static void take_descriptor(int fd, int flags)
{
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
        int got = open("/dev/null", flags);
        /* A lower descriptor was closed, too, and got this file, which is closed again. */
        if (got >= 0 && got != fd) {
            (void)close(got);
        }
    }
}

static void finish_at_exit(void)
{
    if (cli_finish() != EXIT_SUCCESS) {
        _exit(EXIT_FAILURE);
    }
}

void cli_begin(void)
{
    take_descriptor(STDIN_FILENO, O_WRONLY);
    take_descriptor(STDOUT_FILENO, O_RDONLY);
    take_descriptor(STDERR_FILENO, O_RDONLY);
    (void)atexit(finish_at_exit);
}

int cli_finish(void)
{
    static bool failed; /* set after the first error, so that it is printed only once */

    errno = 0;
    if (!failed && (fflush(stdout) != 0 || ferror(stdout))) {
        failed = true;
        (void)cli_error("standard output cannot be written%s%s", errno != 0 ? ": " : "",
                        errno != 0 ? strerror(errno) : "");
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- characters ------------------------------------------------------------ */

typedef struct character {
    uint32_t code;
    size_t len; /* length of the sequence; 0: not UTF-8 */
    bool incomplete;
} character;

static size_t sequence_len(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Decodes by table 3-7 of the Unicode standard, which excludes overlong forms and surrogates. */
static character decode(const uint8_t *at, size_t left)
{
    const size_t len = sequence_len(at[0]);
    uint32_t code = len == 1 ? at[0] : at[0] & (0x7Fu >> len);

    for (size_t i = 1; i < len; i++) {
        if (i == left) {
            return (character){ .incomplete = true };
        }
        if ((at[i] & 0xC0) != 0x80) {
            return (character){ 0 };
        }
        code = code << 6 | (at[i] & 0x3Fu);
    }
    bool overlong = (len == 3 && code < 0x800) || (len == 4 && code < 0x10000);
    bool good = !overlong && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return (character){ .code = code, .len = good ? len : 0 };
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/* Returns whether this is a character that changes the direction of text, or a line end of
 * Unicode. */
static bool misleads(uint32_t code)
{
    return code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x061C;
}

static void put_escaped(FILE *f, uint8_t byte)
{
    switch (byte) {
    case '\n': fputs("\\n", f); break;
    case '\r': fputs("\\r", f); break;
    case '\t': fputs("\\t", f); break;
    default: fprintf(f, "\\x%02X", byte); break;
    }
}

void cli_put(FILE *f, const void *text, size_t len)
{
    const uint8_t *at = text;

    while (len > 0) {
        character c = decode(at, len);
        size_t used = c.len != 0 ? c.len : 1;
        if (c.len != 0 && !is_control(c.code) && !misleads(c.code)) {
            (void)fwrite(at, 1, used, f);
        } else {
            for (size_t i = 0; i < used; i++) {
                put_escaped(f, at[i]);
            }
        }
        at += used;
        len -= used;
    }
}

void cli_puts(FILE *f, const char *text)
{
    cli_put(f, text, strlen(text));
}

/* --- JSON ------------------------------------------------------------------- */

static void put_json_character(FILE *f, const uint8_t *at, character c)
{
    bool space = c.code == '\n' || c.code == '\r' || c.code == '\t';

    if (c.len == 0) {
        fputs("\\ufffd", f);
    } else if ((is_control(c.code) && !space) || misleads(c.code)) {
        fprintf(f, "\\u%04x", (unsigned)c.code);
    } else {
        (void)fwrite(at, 1, c.len, f);
    }
}

/* Prints the sequence in `pending` when it is complete or turns out to be invalid. */
static void put_pending(FILE *f, cli_json *j)
{
    character c = decode(j->pending, j->len);

    if (c.incomplete) {
        return;
    }
    size_t used = c.len != 0 ? c.len : 1;
    put_json_character(f, j->pending, c);
    j->len -= used;
    memmove(j->pending, j->pending + used, j->len);
    if (j->len > 0) {
        put_pending(f, j);
    }
}

void cli_put_json(FILE *f, cli_json *j, const void *text, size_t len)
{
    const uint8_t *at = text;

    for (size_t i = 0; i < len; i++) {
        j->pending[j->len++] = at[i];
        put_pending(f, j);
    }
}

void cli_put_json_end(FILE *f, cli_json *j)
{
    for (size_t i = 0; i < j->len; i++) {
        fputs("\\ufffd", f);
    }
    j->len = 0;
}

/* --- messages ----------------------------------------------------------------- */

void cli_set_name(const char *name)
{
    own_name = name;
}

int cli_error(const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;

    (void)fflush(stdout);
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cli_puts(stderr, own_name != NULL ? own_name : program_invocation_short_name);
    fputs(": ", stderr);
    cli_puts(stderr, text);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}
