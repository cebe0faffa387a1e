/* Parses SELECT with its columns, FROM, WHERE and GROUP BY. */

#include <stdlib.h>

#include "base/text.h"
#include "query/query_clauses.h"
#include "query/query_expression.h"

/* --- SELECT ------------------------------------------------------------ */

static const struct {
    const char *name;
    query_aggregate aggregate;
} aggregates[] = {
    { "COUNT", QUERY_COUNT }, { "SUM", QUERY_SUM }, { "AVG", QUERY_AVG },
    { "MIN", QUERY_MIN },     { "MAX", QUERY_MAX },
};

static query_aggregate find_aggregate(const query_parser *p, const char **name)
{
    for (size_t i = 0; i < sizeof aggregates / sizeof aggregates[0]; i++) {
        if (query_at_word(p, aggregates[i].name) && query_before_parenthesis(p)) {
            *name = aggregates[i].name;
            return aggregates[i].aggregate;
        }
    }
    return QUERY_PLAIN;
}

static bool parse_top(query_parser *p)
{
    if (!query_at_word(p, "TOP")) {
        return true;
    }
    if (!query_next(p)) {
        return false;
    }
    const query_token *t = &p->lexer.token;
    if (t->kind != QUERY_NUMBER || t->number < 1 || t->number > 1e9 ||
        t->number != (double)(uint64_t)t->number) {
        return query_fail_expected(&p->lexer, "a whole number from 1 to 10^9");
    }
    query_program_set_top(p->query, (uint64_t)t->number);
    return query_next(p);
}

/* Parses COUNT(), or another aggregate function with a property. */
static bool parse_aggregate(query_parser *p, query_aggregate aggregate, size_t *path)
{
    if (!query_next(p) || !query_expect_sign(p, "(")) {
        return false;
    }
    if (aggregate != QUERY_COUNT && !query_parse_path(p, path)) {
        return false;
    }
    query_program_set_aggregated(p->query);
    return query_expect_sign(p, ")");
}

static bool parse_alias(query_parser *p, char **name)
{
    if (!query_next(p)) {
        return false;
    }
    if (p->lexer.token.kind != QUERY_WORD && p->lexer.token.kind != QUERY_STRING) {
        return query_fail_expected(&p->lexer, "a name behind AS");
    }
    free(*name);
    *name = query_take_text(p);
    return query_next(p);
}

/* Parses a column. The caller owns *name, also after a failure. */
static bool parse_column(query_parser *p, query_aggregate *aggregate, size_t *path, char **name)
{
    const char *default_name = NULL;

    *aggregate = find_aggregate(p, &default_name);
    if (*aggregate != QUERY_PLAIN) {
        if (!parse_aggregate(p, *aggregate, path)) {
            return false;
        }
        *name = hub_strdup(default_name);
    } else if (query_at_keyword(p)) {
        return query_fail_expected(&p->lexer, "* or a property");
    } else if (!query_parse_path(p, path)) {
        return false;
    }
    return query_at_word(p, "AS") ? parse_alias(p, name) : true;
}

static bool add_column(query_parser *p)
{
    query_column c = { .position = p->lexer.token.start };
    bool good = parse_column(p, &c.aggregate, &c.path, &c.name);

    (void)query_program_add_column(p->query, &c); /* frees the name together with the query */
    return good;
}

static bool parse_columns(query_parser *p)
{
    if (query_at_sign(p, "*")) {
        return query_next(p);
    }
    for (;;) {
        if (!add_column(p)) {
            return false;
        }
        if (!query_at_sign(p, ",")) {
            return true;
        }
        if (!query_next(p)) {
            return false;
        }
    }
}

/* --- FROM, WHERE, GROUP BY --------------------------------------------- */

static bool parse_from(query_parser *p)
{
    if (!query_expect_word(p, "FROM")) {
        return false;
    }
    const char *start = p->lexer.token.start;
    if (!query_at_word(p, "devices")) {
        return query_fail_expected(&p->lexer, "devices or devices.modules");
    }
    if (!query_next(p)) {
        return false;
    }
    if (!query_at_sign(p, ".")) {
        return true;
    }
    if (!query_lex_name(&p->lexer)) {
        return false;
    }
    if (query_at_word(p, "jobs")) {
        return query_fail_at(&p->lexer, start,
                             "devices.jobs is not supported: the emulator has no jobs");
    }
    if (!query_at_word(p, "modules")) {
        return query_fail_at(&p->lexer, start, "devices or devices.modules expected");
    }
    query_program_set_modules(p->query);
    return query_next(p);
}

static bool parse_where(query_parser *p)
{
    return !query_at_word(p, "WHERE") || (query_next(p) && query_parse_expression(p));
}

static bool parse_group_by(query_parser *p)
{
    if (!query_at_word(p, "GROUP")) {
        return true;
    }
    if (p->query->column_count == 0) {
        return query_fail_at(&p->lexer, p->lexer.token.start,
                             "GROUP BY and SELECT * exclude each other");
    }
    query_program_set_aggregated(p->query);
    if (!query_next(p) || !query_expect_word(p, "BY")) {
        return false;
    }
    for (;;) {
        size_t path;
        if (!query_parse_path(p, &path)) {
            return false;
        }
        (void)query_program_add_group(p->query, path);
        if (!query_at_sign(p, ",")) {
            return true;
        }
        if (!query_next(p)) {
            return false;
        }
    }
}

/* --- the whole --------------------------------------------------------- */

bool query_parse_clauses(query_parser *p)
{
    if (!query_expect_word(p, "SELECT") || !parse_top(p) || !parse_columns(p) || !parse_from(p) ||
        !parse_where(p) || !parse_group_by(p)) {
        return false;
    }
    return p->lexer.token.kind == QUERY_END || query_fail_expected(&p->lexer, "the end");
}
