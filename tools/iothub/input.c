#include "input.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

enum { INPUT_MAX = 4 * 1024 * 1024 }; /* far above what any hub takes */

bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *out = n;
    return n >= min && n <= max;
}

static char *trimmed_copy(const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        len--;
    }
    return strndup(text, len);
}

static char *first_line(const char *what)
{
    char *line = NULL;
    size_t cap = 0;
    char *text = NULL;
    ssize_t len = getline(&line, &cap, stdin);

    if (len < 0) {
        complain("no %s on standard input", what);
    } else if (memchr(line, '\0', (size_t)len) != NULL) {
        complain("the %s on standard input is not text", what);
    } else {
        text = trimmed_copy(line, (size_t)len);
    }
    forget(line);
    return text;
}

char *input_text(const char *given, const char *what)
{
    return strcmp(given, "-") == 0 ? first_line(what) : strdup(given);
}

char *input_all(const char *what, size_t *len)
{
    char *text = malloc(INPUT_MAX + 1);

    if (text == NULL) {
        complain("out of memory");
        return NULL;
    }
    *len = fread(text, 1, INPUT_MAX, stdin);
    if (ferror(stdin) || !feof(stdin)) {
        complain("the %s on standard input is too long or cannot be read", what);
        free(text);
        return NULL;
    }
    text[*len] = '\0';
    return text;
}

void forget(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}
