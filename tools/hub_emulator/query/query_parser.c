/* Functions that all rules of the grammar need: the current token, and paths. */

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

char *query_take_text(query_parser *p)
{
    return query_lex_take_text(&p->lexer);
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

/* Parses ['name'] or [index]; the bracket is the current token. */
static bool parse_bracket(query_parser *p, size_t path)
{
    if (!query_next(p)) {
        return false;
    }
    const query_token *t = &p->lexer.token;
    if (t->kind == QUERY_STRING) {
        query_program_add_step(p->query, path, query_take_text(p), 0);
    } else if (t->kind == QUERY_NUMBER && t->number < 1e6 &&
               t->number == (double)(size_t)t->number) {
        query_program_add_step(p->query, path, NULL, (size_t)t->number);
    } else {
        return query_fail_expected(&p->lexer, "a name in quotes or an index");
    }
    return query_next(p) && query_expect_sign(p, "]");
}

static bool parse_steps(query_parser *p, size_t path)
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
        query_program_add_step(p->query, path, query_take_text(p), 0);
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
    *index = query_program_add_path(q, p->lexer.token.start);
    query_program_add_step(q, *index, query_take_text(p), 0);
    return query_next(p) && parse_steps(p, *index);
}

/* --- the program ------------------------------------------------------- */

void query_emit(query_parser *p, query_op op, size_t a, size_t b)
{
    query_program_emit(p->query, op, a, b);
}

void query_emit_push(query_parser *p, query_op op, size_t index)
{
    query_emit(p, op, index, 0);
    p->stack++;
    query_program_need_stack(p->query, p->stack);
}

void query_emit_binary(query_parser *p, query_op op)
{
    query_emit(p, op, 0, 0);
    p->stack--;
}

bool query_enter_level(query_parser *p)
{
    if (++p->depth > HUB_QUERY_DEPTH_MAX) {
        return query_fail_at(&p->lexer, p->lexer.token.start, "nested deeper than %d levels",
                             HUB_QUERY_DEPTH_MAX);
    }
    return true;
}

void query_leave_level(query_parser *p)
{
    p->depth--;
}
