#include "cli/secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_MAX = 128, RUN_MAX = 20 };

/* Base64 without '/', so that the segments of a path are checked one by one. */
static bool is_base64(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '=';
}

/* Returns whether the text looks like a key: letters with digits among them. Names have dashes
 * and dots, or are shorter. */
static bool looks_random(const char *run, size_t len)
{
    size_t digits = 0;

    for (size_t i = 0; i < len; i++) {
        digits += isdigit((unsigned char)run[i]) ? 1 : 0;
    }
    return len >= RUN_MAX && digits > 0 && digits < len;
}

bool cli_may_show(const char *text)
{
    size_t len = strlen(text);
    size_t run = 0;

    if (len > SHOWN_MAX || strpbrk(text, "=;&") != NULL) {
        return false;
    }
    for (size_t i = 0; i <= len; i++) {
        if (i < len && is_base64(text[i])) {
            run++;
            continue;
        }
        if (looks_random(text + i - run, run) || (i < len && iscntrl((unsigned char)text[i]))) {
            return false;
        }
        run = 0;
    }
    return true;
}

const char *cli_shown(const char *text, const char *instead)
{
    return cli_may_show(text) ? text : instead;
}

/* Returns whether the text looks like base64: a key has small and capital letters and digits,
 * while topics, dates and names of errors do not have all of them. */
static bool looks_like_base64(const char *run, size_t len)
{
    bool lower = false;
    bool upper = false;

    for (size_t i = 0; i < len; i++) {
        lower = lower || islower((unsigned char)run[i]);
        upper = upper || isupper((unsigned char)run[i]);
    }
    return lower && upper && looks_random(run, len);
}

/* --- texts of servers -------------------------------------------------------- */

static size_t name_before_value(const char *at)
{
    static const char *const names[] = { "SharedAccessKey",
                                         "SharedAccessSignature",
                                         "primaryKey",
                                         "secondaryKey",
                                         "sig",
                                         "key",
                                         "token",
                                         "password" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(at, names[i], len) != 0) {
            continue;
        }
        len += strspn(at + len, "\"' ");
        if (at[len] == '=' || at[len] == ':') {
            return len + 1 + strspn(at + len + 1, "\"' ");
        }
    }
    return 0;
}

static bool is_in_secret(char c)
{
    return is_base64(c) || c == '/' || c == '%' || c == '-' || c == '_';
}

static size_t secret_len(const char *at)
{
    size_t len = 0;

    while (is_in_secret(at[len])) {
        len++;
    }
    return len;
}

static size_t run_len(const char *at)
{
    size_t len = 0;

    while (is_base64(at[len]) || at[len] == '/' || at[len] == '%') {
        len++;
    }
    return len;
}

void cli_redact(char *text)
{
    while (*text != '\0') {
        size_t skip = name_before_value(text);
        size_t len = skip > 0 ? secret_len(text + skip) : run_len(text);
        if (skip > 0 || looks_like_base64(text, len)) {
            memset(text + skip, '*', len);
        }
        text += skip + len > 0 ? skip + len : 1;
    }
}

/* --- memory --------------------------------------------------------------------- */

void cli_forget(void *memory, size_t size)
{
    if (memory != NULL) {
        explicit_bzero(memory, size);
        free(memory);
    }
}

void cli_forget_text(char *text)
{
    cli_forget(text, text != NULL ? strlen(text) : 0);
}
