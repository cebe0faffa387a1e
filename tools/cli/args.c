#include "cli/args.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "cli/output.h"

enum { NAME_SHOWN_MAX = 24, TEXT_MAX = 512, KNOWN_MAX = 64 };

static void report(const char *name, const char *format, va_list args)
{
    char text[TEXT_MAX];

    (void)vsnprintf(text, sizeof text, format, args);
    (void)cli_error("%s; see %s --help", text, name);
}

__attribute__((format(printf, 2, 3), noreturn)) static void fail(const char *name,
                                                                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(name, format, args);
    va_end(args);
    exit(CLI_EXIT_USAGE);
}

/* --- options that getopt would complain about ----------------------------------- */

/* The options of a program: all of its argp and the children, and those that argp adds. */
typedef struct known {
    const struct argp_option *options[KNOWN_MAX];
    size_t count;
} known;

static void add_option(known *k, const struct argp_option *o)
{
    if (k->count < KNOWN_MAX && (o->flags & OPTION_DOC) == 0 && (o->name != NULL || o->key != 0)) {
        k->options[k->count++] = o;
    }
}

static void collect(known *k, const struct argp *argp)
{
    const struct argp_option *o = argp->options;

    for (; o != NULL && (o->name != NULL || o->key != 0 || o->doc != NULL); o++) {
        add_option(k, o);
    }
    for (const struct argp_child *c = argp->children; c != NULL && c->argp != NULL; c++) {
        collect(k, c->argp);
    }
}

static const struct argp_option added[] = {
    { .name = "help", .key = '?' },
    { .name = "usage", .key = 256 },
    { .name = "version", .key = 'V' },
};

static bool is_added(const struct argp_option *o)
{
    return o >= added && o < added + sizeof added / sizeof added[0];
}

static const struct argp_option *find_short(const known *k, char c)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->options[i]->key == c) {
            return k->options[i];
        }
    }
    return NULL;
}

/* Finds an option like getopt: by its whole name, or by an unambiguous beginning. *matches is
 * the number of options with that beginning. */
static const struct argp_option *find_long(const known *k, const char *name, size_t len,
                                           size_t *matches)
{
    const struct argp_option *found = NULL;

    *matches = 0;
    for (size_t i = 0; i < k->count; i++) {
        const char *other = k->options[i]->name;
        if (other == NULL || strncmp(other, name, len) != 0) {
            continue;
        }
        if (other[len] == '\0') {
            *matches = 1;
            return k->options[i];
        }
        found = k->options[i];
        (*matches)++;
    }
    return found;
}

/* Returns whether a message may repeat the name. Names of options are lower-case words; anything
 * else could be a key. */
static bool name_may_show(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!islower((unsigned char)name[i]) && name[i] != '-') {
            return false;
        }
    }
    return len > 0 && len <= NAME_SHOWN_MAX;
}

__attribute__((noreturn)) static void refuse_long(const char *program, const char *name, size_t len,
                                                  size_t matches)
{
    const char *what = matches > 1 ? "ambiguous option" : "unrecognized option";

    if (name_may_show(name, len)) {
        fail(program, "%s --%.*s", what, (int)len, name);
    }
    fail(program, "%s (not shown, as it may contain a secret)", what);
}

typedef enum scan { SCAN_NEXT, SCAN_SKIP_VALUE, SCAN_END } scan;

/* `word` is the argument without its dashes. */
static scan scan_long(const known *k, const char *program, const char *word, bool last)
{
    size_t matches;
    size_t len = strcspn(word, "=");
    const struct argp_option *o = find_long(k, word, len, &matches);

    if (o == NULL || matches > 1) {
        refuse_long(program, word, len, matches);
    }
    if (is_added(o)) {
        return SCAN_END; /* after this option argp ends the program */
    }
    if (o->arg == NULL && word[len] == '=') {
        fail(program, "option --%s takes no argument", o->name);
    }
    if (o->arg == NULL || word[len] == '=') {
        return SCAN_NEXT;
    }
    if (last) {
        fail(program, "option --%s requires an argument", o->name);
    }
    return SCAN_SKIP_VALUE;
}

static scan scan_short(const known *k, const char *program, const char *word, bool last)
{
    for (; *word != '\0'; word++) {
        const struct argp_option *o = find_short(k, *word);
        if (o == NULL) {
            fail(program, "unrecognized option; long ones begin with two dashes");
        }
        if (is_added(o)) {
            return SCAN_END;
        }
        if (o->arg != NULL && word[1] == '\0') {
            if (last) {
                fail(program, "option -%c requires an argument", *word);
            }
            return SCAN_SKIP_VALUE;
        }
        if (o->arg != NULL) {
            return SCAN_NEXT;
        }
    }
    return SCAN_NEXT;
}

/* The name of the program as argp prints it. */
static const char *name_of(const char *program)
{
    const char *slash = strrchr(program, '/');
    return slash != NULL ? slash + 1 : program;
}

static void check_options(const struct argp *argp, int argc, char **argv, unsigned flags)
{
    const char *program = name_of(argv[0]);
    known k = { .count = 0 };

    collect(&k, argp);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        if (i < 2 || argp_program_version != NULL) {
            add_option(&k, &added[i]);
        }
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        scan s = SCAN_NEXT;
        if (strcmp(word, "--") == 0) {
            return;
        }
        if (strncmp(word, "--", 2) == 0) {
            s = scan_long(&k, program, word + 2, i + 1 == argc);
        } else if (word[0] == '-' && word[1] != '\0') {
            s = scan_short(&k, program, word + 1, i + 1 == argc);
        } else if ((flags & ARGP_IN_ORDER) != 0) {
            return; /* the remaining arguments belong to a command */
        }
        if (s == SCAN_END) {
            return;
        }
        i += s == SCAN_SKIP_VALUE ? 1 : 0;
    }
}

void cli_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
    char name[] = "program"; /* some callers of exec pass no name */
    char *none[] = { name, NULL };

    if (argc < 1) {
        argc = 1;
        argv = none;
    }
    argp_err_exit_status = CLI_EXIT_USAGE;
    check_options(argp, argc, argv, flags);
    if (argp_parse(argp, argc, argv, flags, NULL, input) != 0) {
        fail(argv[0], "the command line cannot be used");
    }
}

/* --- messages ---------------------------------------------------------------------- */

void cli_usage(const struct argp_state *state, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(state->name, format, args);
    va_end(args);
    exit(CLI_EXIT_USAGE);
}

uint64_t cli_number_option(const struct argp_state *state, const char *name, const char *text,
                           uint64_t min, uint64_t max)
{
    uint64_t n;

    if (!cli_number(text, min, max, &n)) {
        cli_usage(state, "--%s is not a number from %llu to %llu", name, (unsigned long long)min,
                  (unsigned long long)max);
    }
    return n;
}
