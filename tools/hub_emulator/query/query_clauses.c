/* SELECT with its columns, FROM, WHERE and GROUP BY. */

#include <stdlib.h>

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
    p->query->top_set = true;
    p->query->top = (uint64_t)t->number;
    return query_next(p);
}

/* COUNT() or one of the others with a property. */
static bool parse_aggregate(query_parser *p, query_column *c)
{
    if (!query_next(p) || !query_expect_sign(p, "(")) {
        return false;
    }
    if (c->aggregate != QUERY_COUNT && !query_parse_path(p, &c->path)) {
        return false;
    }
    p->query->aggregated = true;
    return query_expect_sign(p, ")");
}

static bool parse_alias(query_parser *p, query_column *c)
{
    if (!query_next(p)) {
        return false;
    }
    if (p->lexer.token.kind != QUERY_WORD && p->lexer.token.kind != QUERY_STRING) {
        return query_fail_expected(&p->lexer, "a name behind AS");
    }
    free(c->name);
    c->name = query_take_text(p);
    return query_next(p);
}

static bool parse_column(query_parser *p, query_column *c)
{
    const char *name = NULL;

    c->position = p->lexer.token.start;
    c->aggregate = find_aggregate(p, &name);
    if (c->aggregate != QUERY_PLAIN) {
        if (!parse_aggregate(p, c)) {
            return false;
        }
        c->name = hub_strdup(name);
    } else if (query_at_keyword(p)) {
        return query_fail_expected(&p->lexer, "* or a property");
    } else if (!query_parse_path(p, &c->path)) {
        return false;
    }
    return query_at_word(p, "AS") ? parse_alias(p, c) : true;
}

static bool parse_columns(query_parser *p)
{
    hub_query *q = p->query;

    if (query_at_sign(p, "*")) {
        return query_next(p);
    }
    for (;;) {
        q->columns = query_grown(q->columns, q->column_count, sizeof *q->columns);
        q->columns[q->column_count++] = (query_column){ 0 };
        if (!parse_column(p, &q->columns[q->column_count - 1])) {
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
                             "devices.jobs is not there: the emulator has no jobs");
    }
    if (!query_at_word(p, "modules")) {
        return query_fail_at(&p->lexer, start, "devices or devices.modules expected");
    }
    p->query->modules = true;
    return query_next(p);
}

static bool parse_where(query_parser *p)
{
    return !query_at_word(p, "WHERE") || (query_next(p) && query_parse_expression(p));
}

static bool parse_group_by(query_parser *p)
{
    hub_query *q = p->query;

    if (!query_at_word(p, "GROUP")) {
        return true;
    }
    if (q->column_count == 0) {
        return query_fail_at(&p->lexer, p->lexer.token.start, "GROUP BY goes with no SELECT *");
    }
    q->aggregated = true;
    if (!query_next(p) || !query_expect_word(p, "BY")) {
        return false;
    }
    for (;;) {
        size_t path;
        if (!query_parse_path(p, &path)) {
            return false;
        }
        q->groups = query_grown(q->groups, q->group_count, sizeof *q->groups);
        q->groups[q->group_count++] = path;
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
