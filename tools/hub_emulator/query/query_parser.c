/* What all rules of the grammar need: the current token, and paths. */

#include <stdlib.h>

#include "query/query_parser.h"

/* --- the current token ------------------------------------------------- */

bool query_at_word(const query_parser *p, const char *word)
{
    return query_is_word(&p->lexer.token, word);
}

bool query_at_sign(const query_parser *p, const char *sign)
{
    return query_is_sign(&p->lexer.token, sign);
}

bool query_next(query_parser *p)
{
    return query_lex_next(&p->lexer);
}

bool query_expect_word(query_parser *p, const char *word)
{
    return query_at_word(p, word) ? query_next(p) : query_fail_expected(&p->lexer, word);
}

bool query_expect_sign(query_parser *p, const char *sign)
{
    return query_at_sign(p, sign) ? query_next(p) : query_fail_expected(&p->lexer, sign);
}

void *query_grown(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? hub_realloc(items, (count > 0 ? 2 * count : 1) * size)
                                      : items;
}

char *query_take_text(query_parser *p)
{
    char *text = p->lexer.token.text;
    p->lexer.token.text = NULL;
    return text;
}

bool query_before_parenthesis(const query_parser *p)
{
    const char *c = p->lexer.at;

    while (*c == ' ' || *c == '\t' || *c == '\r' || *c == '\n') {
        c++;
    }
    return *c == '(';
}

bool query_at_keyword(const query_parser *p)
{
    static const char *const words[] = { "SELECT", "FROM", "WHERE", "GROUP", "AND",
                                         "OR",     "IN",   "NIN",   "AS",    "BY" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (query_at_word(p, words[i])) {
            return true;
        }
    }
    return false;
}

/* --- paths ------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): kept by the step */
static void add_step(query_path *path, char *name, size_t index)
{
    path->steps = query_grown(path->steps, path->count, sizeof *path->steps);
    path->steps[path->count++] = (query_step){ .name = name, .index = index };
}

/* ['name'] or [index]; the bracket is the current token. */
static bool parse_bracket(query_parser *p, query_path *path)
{
    if (!query_next(p)) {
        return false;
    }
    const query_token *t = &p->lexer.token;
    if (t->kind == QUERY_STRING) {
        add_step(path, query_take_text(p), 0);
    } else if (t->kind == QUERY_NUMBER && t->number < 1e6 &&
               t->number == (double)(size_t)t->number) {
        add_step(path, NULL, (size_t)t->number);
    } else {
        return query_fail_expected(&p->lexer, "a name in quotes or an index");
    }
    return query_next(p) && query_expect_sign(p, "]");
}

static bool parse_steps(query_parser *p, query_path *path)
{
    while (query_at_sign(p, ".") || query_at_sign(p, "[")) {
        if (query_at_sign(p, "[")) {
            if (!parse_bracket(p, path)) {
                return false;
            }
            continue;
        }
        if (!query_lex_name(&p->lexer)) {
            return false;
        }
        add_step(path, query_take_text(p), 0);
        if (!query_next(p)) {
            return false;
        }
    }
    return true;
}

bool query_parse_path(query_parser *p, size_t *index)
{
    hub_query *q = p->query;

    if (p->lexer.token.kind != QUERY_WORD) {
        return query_fail_expected(&p->lexer, "a property");
    }
    q->paths = query_grown(q->paths, q->path_count, sizeof *q->paths);
    *index = q->path_count++;
    q->paths[*index] = (query_path){ .position = p->lexer.token.start };
    add_step(&q->paths[*index], query_take_text(p), 0);
    return query_next(p) && parse_steps(p, &q->paths[*index]);
}
