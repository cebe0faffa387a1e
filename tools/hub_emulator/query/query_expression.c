/* Parses expressions into the program of the stack machine, with one function for each level of
 * operators. */

#include <stdlib.h>
#include <strings.h>

#include "query/query_expression.h"

/* --- constants --------------------------------------------------------- */

/* Gives the text of the token to the query, which keeps it. */
static const char *keep_text(query_parser *p)
{
    return query_program_keep_text(p->query, query_take_text(p));
}

static query_value word_constant(const query_parser *p, bool *found)
{
    *found = true;
    if (query_at_word(p, "true") || query_at_word(p, "false")) {
        return (query_value){ .kind = QUERY_BOOLEAN, .truth = query_at_word(p, "true") };
    }
    if (query_at_word(p, "null")) {
        return (query_value){ .kind = QUERY_NULL };
    }
    *found = query_at_word(p, "undefined");
    return (query_value){ .kind = QUERY_UNDEFINED };
}

/* If the current token is a constant, adds it and moves to the next token; otherwise *found is
 * false. negative means that a minus sign precedes the number. */
static bool parse_constant(query_parser *p, bool negative, bool *found)
{
    const query_token *t = &p->lexer.token;
    query_value v;

    *found = true;
    if (t->kind == QUERY_STRING) {
        v = (query_value){ .kind = QUERY_TEXT, .text = keep_text(p) };
    } else if (t->kind == QUERY_NUMBER) {
        v = (query_value){ .kind = QUERY_NUMERIC, .number = negative ? -t->number : t->number };
    } else {
        v = word_constant(p, found);
    }
    if (!*found) {
        return true;
    }
    (void)query_program_add_constant(p->query, v);
    return query_next(p);
}

/* Parses one element of an array; a number may have a sign. */
static bool parse_element(query_parser *p)
{
    bool found;
    bool negative = query_at_sign(p, "-");

    if (negative && !query_next(p)) {
        return false;
    }
    if (negative && p->lexer.token.kind != QUERY_NUMBER) {
        return query_fail_expected(&p->lexer, "a number");
    }
    if (!parse_constant(p, negative, &found)) {
        return false;
    }
    if (!found) {
        return query_fail_expected(&p->lexer, "a constant");
    }
    return true;
}

/* Parses the rest after IN or NIN, which is the current token. */
static bool parse_in(query_parser *p, query_op op)
{
    const size_t first = p->query->constant_count;

    if (!query_next(p) || !query_expect_sign(p, "[")) {
        return false;
    }
    if (!query_at_sign(p, "]")) {
        if (!parse_element(p)) {
            return false;
        }
        while (query_at_sign(p, ",")) {
            if (!query_next(p) || !parse_element(p)) {
                return false;
            }
        }
    }
    query_emit(p, op, first, p->query->constant_count - first);
    return query_expect_sign(p, "]");
}

/* --- functions --------------------------------------------------------- */

static const struct {
    const char *name;
    query_op op;
    int arguments;
} functions[] = {
    { "IS_DEFINED", QUERY_IS_DEFINED, 1 },  { "IS_NULL", QUERY_IS_NULL, 1 },
    { "IS_BOOL", QUERY_IS_BOOL, 1 },        { "IS_NUMBER", QUERY_IS_NUMBER, 1 },
    { "IS_STRING", QUERY_IS_STRING, 1 },    { "IS_OBJECT", QUERY_IS_OBJECT, 1 },
    { "IS_ARRAY", QUERY_IS_ARRAY, 1 },      { "IS_PRIMITIVE", QUERY_IS_PRIMITIVE, 1 },
    { "STARTSWITH", QUERY_STARTS_WITH, 2 }, { "STARTS_WITH", QUERY_STARTS_WITH, 2 },
    { "ENDSWITH", QUERY_ENDS_WITH, 2 },     { "ENDS_WITH", QUERY_ENDS_WITH, 2 },
    { "CONTAINS", QUERY_CONTAINS, 2 },
};

/* Parses a call. The name was read, and the parenthesis is the current token. */
static bool parse_call(query_parser *p, const char *name, const char *position)
{
    size_t i = 0;
    const size_t count = sizeof functions / sizeof functions[0];

    while (i < count && strcasecmp(functions[i].name, name) != 0) {
        i++;
    }
    if (i == count) {
        return query_fail_at(&p->lexer, position, "unknown function %.40s", name);
    }
    if (!query_next(p) || !query_parse_expression(p)) {
        return false;
    }
    if (functions[i].arguments == 2) {
        if (!query_expect_sign(p, ",") || !query_parse_expression(p)) {
            return false;
        }
        query_emit_binary(p, functions[i].op);
    } else {
        query_emit(p, functions[i].op, 0, 0);
    }
    return query_expect_sign(p, ")");
}

/* --- expressions ------------------------------------------------------- */

static bool parse_word(query_parser *p)
{
    size_t index;

    if (query_at_keyword(p)) {
        return query_fail_expected(&p->lexer, "a value");
    }
    if (*p->lexer.token.start != '[' && query_before_parenthesis(p)) {
        const char *position = p->lexer.token.start;
        char *name = query_take_text(p);
        bool ok = query_next(p) && parse_call(p, name, position);
        free(name);
        return ok;
    }
    if (!query_parse_path(p, &index)) {
        return false;
    }
    query_emit_push(p, QUERY_PUSH_PATH, index);
    return true;
}

static bool parse_primary(query_parser *p)
{
    bool found;

    if (query_at_sign(p, "(")) {
        return query_next(p) && query_parse_expression(p) && query_expect_sign(p, ")");
    }
    if (query_at_sign(p, "[")) {
        return query_fail_at(&p->lexer, p->lexer.token.start,
                             "an array is allowed only after IN and NIN");
    }
    if (!parse_constant(p, false, &found)) {
        return false;
    }
    if (found) {
        query_emit_push(p, QUERY_PUSH_CONSTANT, p->query->constant_count - 1);
        return true;
    }
    return p->lexer.token.kind == QUERY_WORD ? parse_word(p)
                                             : query_fail_expected(&p->lexer, "a value");
}

static bool parse_unary(query_parser *p)
{
    bool negative = query_at_sign(p, "-");

    if (!negative && !query_at_sign(p, "+")) {
        return parse_primary(p);
    }
    if (!query_enter_level(p) || !query_next(p) || !parse_unary(p)) {
        return false;
    }
    query_leave_level(p);
    if (negative) {
        query_emit(p, QUERY_NEGATE, 0, 0);
    }
    return true;
}

typedef struct sign_op {
    const char *sign;
    query_op op;
} sign_op;

/* Returns which of these operators the current token is, or NULL. */
static const sign_op *find_sign(const query_parser *p, const sign_op *ops)
{
    while (ops->sign != NULL && !query_at_sign(p, ops->sign)) {
        ops++;
    }
    return ops->sign != NULL ? ops : NULL;
}

static bool parse_chain(query_parser *p, const sign_op *ops, bool (*operand)(query_parser *p))
{
    const sign_op *found;

    if (!operand(p)) {
        return false;
    }
    while ((found = find_sign(p, ops)) != NULL) {
        if (!query_next(p) || !operand(p)) {
            return false;
        }
        query_emit_binary(p, found->op);
    }
    return true;
}

static bool parse_product(query_parser *p)
{
    static const sign_op ops[] = {
        { "*", QUERY_MULTIPLY }, { "/", QUERY_DIVIDE }, { "%", QUERY_REMAINDER }, { NULL, 0 }
    };
    return parse_chain(p, ops, parse_unary);
}

static bool parse_sum(query_parser *p)
{
    static const sign_op ops[] = { { "+", QUERY_ADD }, { "-", QUERY_SUBTRACT }, { NULL, 0 } };
    return parse_chain(p, ops, parse_product);
}

static bool parse_comparison(query_parser *p)
{
    static const sign_op ops[] = { { "=", QUERY_EQUAL },          { "!=", QUERY_UNEQUAL },
                                   { "<>", QUERY_UNEQUAL },       { "<", QUERY_LESS },
                                   { "<=", QUERY_LESS_EQUAL },    { ">", QUERY_GREATER },
                                   { ">=", QUERY_GREATER_EQUAL }, { NULL, 0 } };

    if (!parse_sum(p)) {
        return false;
    }
    if (query_at_word(p, "IN")) {
        return parse_in(p, QUERY_IN);
    }
    if (query_at_word(p, "NIN")) {
        return parse_in(p, QUERY_NIN);
    }
    const sign_op *found = find_sign(p, ops);
    if (found == NULL) {
        return true;
    }
    if (!query_next(p) || !parse_sum(p)) {
        return false;
    }
    query_emit_binary(p, found->op);
    return true;
}

static bool parse_not(query_parser *p)
{
    if (!query_at_word(p, "NOT")) {
        return parse_comparison(p);
    }
    if (!query_enter_level(p) || !query_next(p) || !parse_not(p)) {
        return false;
    }
    query_leave_level(p);
    query_emit(p, QUERY_NOT, 0, 0);
    return true;
}

static bool parse_words(query_parser *p, const char *word, query_op op,
                        bool (*operand)(query_parser *p))
{
    if (!operand(p)) {
        return false;
    }
    while (query_at_word(p, word)) {
        if (!query_next(p) || !operand(p)) {
            return false;
        }
        query_emit_binary(p, op);
    }
    return true;
}

static bool parse_and(query_parser *p)
{
    return parse_words(p, "AND", QUERY_AND, parse_not);
}

bool query_parse_expression(query_parser *p)
{
    if (!query_enter_level(p) || !parse_words(p, "OR", QUERY_OR, parse_and)) {
        return false;
    }
    query_leave_level(p);
    return true;
}
