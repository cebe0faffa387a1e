/* Tokens to a program: recursive descent, one function a rule of the grammar. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "query_internal.h"

typedef struct parser {
    query_lexer lexer;
    hub_query *query;
    size_t depth; /* nesting of the text */
    size_t stack; /* values on the stack of the program at this point */
} parser;

static bool parse_expression(parser *p);

/* --- helpers ----------------------------------------------------------- */

static bool at_word(const parser *p, const char *word)
{
    return query_is_word(&p->lexer.token, word);
}

static bool at_sign(const parser *p, const char *sign)
{
    return query_is_sign(&p->lexer.token, sign);
}

static bool next(parser *p)
{
    return query_lex_next(&p->lexer);
}

static bool expect_word(parser *p, const char *word)
{
    return at_word(p, word) ? next(p) : query_fail_expected(&p->lexer, word);
}

static bool expect_sign(parser *p, const char *sign)
{
    return at_sign(p, sign) ? next(p) : query_fail_expected(&p->lexer, sign);
}

/* Room for one more, at powers of two. */
static void *grown(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? hub_realloc(items, (count > 0 ? 2 * count : 1) * size)
                                      : items;
}

static void emit(parser *p, query_op op, size_t a, size_t b)
{
    hub_query *q = p->query;

    q->program = grown(q->program, q->program_count, sizeof *q->program);
    q->program[q->program_count++] = (query_instruction){ .op = op, .a = a, .b = b };
}

static void push(parser *p, query_op op, size_t index)
{
    emit(p, op, index, 0);
    p->stack++;
    if (p->stack > p->query->stack_max) {
        p->query->stack_max = p->stack;
    }
}

static void emit_binary(parser *p, query_op op)
{
    emit(p, op, 0, 0);
    p->stack--;
}

static bool deeper(parser *p)
{
    if (++p->depth > HUB_QUERY_DEPTH_MAX) {
        return query_fail_at(&p->lexer, p->lexer.token.start, "nested deeper than %d levels",
                             HUB_QUERY_DEPTH_MAX);
    }
    return true;
}

/* --- paths ------------------------------------------------------------- */

static void add_step(query_path *path, char *name, size_t index)
{
    path->steps = grown(path->steps, path->count, sizeof *path->steps);
    path->steps[path->count++] = (query_step){ .name = name, .index = index };
}

/* The name is taken out of the token. */
static char *take_text(parser *p)
{
    char *text = p->lexer.token.text;
    p->lexer.token.text = NULL;
    return text;
}

/* ['name'] or [index]; the bracket is the current token. */
static bool parse_bracket(parser *p, query_path *path)
{
    if (!next(p)) {
        return false;
    }
    const query_token *t = &p->lexer.token;
    if (t->kind == QUERY_STRING) {
        add_step(path, take_text(p), 0);
    } else if (t->kind == QUERY_NUMBER && t->number < 1e6 &&
               t->number == (double)(size_t)t->number) {
        add_step(path, NULL, (size_t)t->number);
    } else {
        return query_fail_expected(&p->lexer, "a name in quotes or an index");
    }
    return next(p) && expect_sign(p, "]");
}

static bool parse_steps(parser *p, query_path *path)
{
    while (at_sign(p, ".") || at_sign(p, "[")) {
        if (at_sign(p, "[")) {
            if (!parse_bracket(p, path)) {
                return false;
            }
            continue;
        }
        if (!query_lex_name(&p->lexer)) {
            return false;
        }
        add_step(path, take_text(p), 0);
        if (!next(p)) {
            return false;
        }
    }
    return true;
}

/* The word is the current token; *index is that of the path. */
static bool parse_path(parser *p, size_t *index)
{
    hub_query *q = p->query;

    if (p->lexer.token.kind != QUERY_WORD) {
        return query_fail_expected(&p->lexer, "a property");
    }
    q->paths = grown(q->paths, q->path_count, sizeof *q->paths);
    *index = q->path_count++;
    q->paths[*index] = (query_path){ .position = p->lexer.token.start };
    add_step(&q->paths[*index], take_text(p), 0);
    return next(p) && parse_steps(p, &q->paths[*index]);
}

/* --- constants --------------------------------------------------------- */

static void add_constant(parser *p, query_value v)
{
    hub_query *q = p->query;

    q->constants = grown(q->constants, q->constant_count, sizeof *q->constants);
    q->constants[q->constant_count++] = v;
}

/* The text of the token goes over to the query. */
static const char *keep_text(parser *p)
{
    hub_query *q = p->query;

    q->texts = grown(q->texts, q->text_count, sizeof *q->texts);
    q->texts[q->text_count] = take_text(p);
    return q->texts[q->text_count++];
}

static bool word_constant(const parser *p, query_value *v)
{
    *v = (query_value){ 0 };
    if (at_word(p, "true") || at_word(p, "false")) {
        *v = (query_value){ .kind = QUERY_BOOLEAN, .truth = at_word(p, "true") };
    } else if (at_word(p, "null")) {
        v->kind = QUERY_NULL;
    } else if (!at_word(p, "undefined")) {
        return false;
    }
    return true;
}

/* A constant that is the current token, stepped over; *found is false for anything else. */
static bool parse_constant(parser *p, bool *found)
{
    const query_token *t = &p->lexer.token;
    query_value v = { 0 };

    *found = true;
    if (t->kind == QUERY_STRING) {
        v = (query_value){ .kind = QUERY_TEXT, .text = keep_text(p) };
    } else if (t->kind == QUERY_NUMBER) {
        v = (query_value){ .kind = QUERY_NUMERIC, .number = t->number };
    } else if (!word_constant(p, &v)) {
        *found = false;
        return true;
    }
    add_constant(p, v);
    return next(p);
}

/* One of an array: a number may have a sign. */
static bool parse_element(parser *p)
{
    bool found;
    bool negative = at_sign(p, "-");

    if (negative && !next(p)) {
        return false;
    }
    if (negative && p->lexer.token.kind != QUERY_NUMBER) {
        return query_fail_expected(&p->lexer, "a number");
    }
    if (!parse_constant(p, &found)) {
        return false;
    }
    if (!found) {
        return query_fail_expected(&p->lexer, "a constant");
    }
    if (negative) {
        query_value *last = &p->query->constants[p->query->constant_count - 1];
        last->number = -last->number;
    }
    return true;
}

/* IN or NIN is the current token. */
static bool parse_in(parser *p, query_op op)
{
    const size_t first = p->query->constant_count;

    if (!next(p) || !expect_sign(p, "[")) {
        return false;
    }
    if (!at_sign(p, "]")) {
        if (!parse_element(p)) {
            return false;
        }
        while (at_sign(p, ",")) {
            if (!next(p) || !parse_element(p)) {
                return false;
            }
        }
    }
    emit(p, op, first, p->query->constant_count - first);
    return expect_sign(p, "]");
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

/* The name was read and the parenthesis is the current token. */
static bool parse_call(parser *p, const char *name, const char *position)
{
    size_t i = 0;
    const size_t count = sizeof functions / sizeof functions[0];

    while (i < count && strcasecmp(functions[i].name, name) != 0) {
        i++;
    }
    if (i == count) {
        return query_fail_at(&p->lexer, position, "there is no function %.40s", name);
    }
    if (!next(p) || !parse_expression(p)) {
        return false;
    }
    if (functions[i].arguments == 2) {
        if (!expect_sign(p, ",") || !parse_expression(p)) {
            return false;
        }
        emit_binary(p, functions[i].op);
    } else {
        emit(p, functions[i].op, 0, 0);
    }
    return expect_sign(p, ")");
}

/* Is the current word followed by a parenthesis? */
static bool before_parenthesis(const parser *p)
{
    const char *c = p->lexer.at;

    while (*c == ' ' || *c == '\t' || *c == '\r' || *c == '\n') {
        c++;
    }
    return *c == '(';
}

/* --- expressions ------------------------------------------------------- */

static bool is_keyword(const parser *p)
{
    static const char *const words[] = { "SELECT", "FROM", "WHERE", "GROUP", "AND",
                                         "OR",     "IN",   "NIN",   "AS",    "BY" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (at_word(p, words[i])) {
            return true;
        }
    }
    return false;
}

static bool parse_word(parser *p)
{
    size_t index;

    if (is_keyword(p)) {
        return query_fail_expected(&p->lexer, "a value");
    }
    if (*p->lexer.token.start != '[' && before_parenthesis(p)) {
        const char *position = p->lexer.token.start;
        char *name = take_text(p);
        bool ok = next(p) && parse_call(p, name, position);
        free(name);
        return ok;
    }
    if (!parse_path(p, &index)) {
        return false;
    }
    push(p, QUERY_PUSH_PATH, index);
    return true;
}

static bool parse_primary(parser *p)
{
    bool found;

    if (at_sign(p, "(")) {
        return next(p) && parse_expression(p) && expect_sign(p, ")");
    }
    if (at_sign(p, "[")) {
        return query_fail_at(&p->lexer, p->lexer.token.start,
                             "an array stands behind IN and NIN only");
    }
    if (!parse_constant(p, &found)) {
        return false;
    }
    if (found) {
        push(p, QUERY_PUSH_CONSTANT, p->query->constant_count - 1);
        return true;
    }
    return p->lexer.token.kind == QUERY_WORD ? parse_word(p)
                                             : query_fail_expected(&p->lexer, "a value");
}

static bool parse_unary(parser *p)
{
    bool negative = at_sign(p, "-");

    if (!negative && !at_sign(p, "+")) {
        return parse_primary(p);
    }
    if (!deeper(p) || !next(p) || !parse_unary(p)) {
        return false;
    }
    p->depth--;
    if (negative) {
        emit(p, QUERY_NEGATE, 0, 0);
    }
    return true;
}

typedef struct sign_op {
    const char *sign;
    query_op op;
} sign_op;

/* Which of these the current token is; NULL for none. */
static const sign_op *find_sign(const parser *p, const sign_op *ops)
{
    while (ops->sign != NULL && !at_sign(p, ops->sign)) {
        ops++;
    }
    return ops->sign != NULL ? ops : NULL;
}

static bool parse_chain(parser *p, const sign_op *ops, bool (*operand)(parser *p))
{
    const sign_op *found;

    if (!operand(p)) {
        return false;
    }
    while ((found = find_sign(p, ops)) != NULL) {
        if (!next(p) || !operand(p)) {
            return false;
        }
        emit_binary(p, found->op);
    }
    return true;
}

static bool parse_product(parser *p)
{
    static const sign_op ops[] = {
        { "*", QUERY_MULTIPLY }, { "/", QUERY_DIVIDE }, { "%", QUERY_REMAINDER }, { NULL, 0 }
    };
    return parse_chain(p, ops, parse_unary);
}

static bool parse_sum(parser *p)
{
    static const sign_op ops[] = { { "+", QUERY_ADD }, { "-", QUERY_SUBTRACT }, { NULL, 0 } };
    return parse_chain(p, ops, parse_product);
}

static bool parse_comparison(parser *p)
{
    static const sign_op ops[] = { { "=", QUERY_EQUAL },          { "!=", QUERY_UNEQUAL },
                                   { "<>", QUERY_UNEQUAL },       { "<", QUERY_LESS },
                                   { "<=", QUERY_LESS_EQUAL },    { ">", QUERY_GREATER },
                                   { ">=", QUERY_GREATER_EQUAL }, { NULL, 0 } };

    if (!parse_sum(p)) {
        return false;
    }
    if (at_word(p, "IN")) {
        return parse_in(p, QUERY_IN);
    }
    if (at_word(p, "NIN")) {
        return parse_in(p, QUERY_NIN);
    }
    const sign_op *found = find_sign(p, ops);
    if (found == NULL) {
        return true;
    }
    if (!next(p) || !parse_sum(p)) {
        return false;
    }
    emit_binary(p, found->op);
    return true;
}

static bool parse_not(parser *p)
{
    if (!at_word(p, "NOT")) {
        return parse_comparison(p);
    }
    if (!deeper(p) || !next(p) || !parse_not(p)) {
        return false;
    }
    p->depth--;
    emit(p, QUERY_NOT, 0, 0);
    return true;
}

static bool parse_words(parser *p, const char *word, query_op op, bool (*operand)(parser *p))
{
    if (!operand(p)) {
        return false;
    }
    while (at_word(p, word)) {
        if (!next(p) || !operand(p)) {
            return false;
        }
        emit_binary(p, op);
    }
    return true;
}

static bool parse_and(parser *p)
{
    return parse_words(p, "AND", QUERY_AND, parse_not);
}

static bool parse_expression(parser *p)
{
    if (!deeper(p) || !parse_words(p, "OR", QUERY_OR, parse_and)) {
        return false;
    }
    p->depth--;
    return true;
}

/* --- SELECT ------------------------------------------------------------ */

static const struct {
    const char *name;
    query_aggregate aggregate;
} aggregates[] = {
    { "COUNT", QUERY_COUNT }, { "SUM", QUERY_SUM }, { "AVG", QUERY_AVG },
    { "MIN", QUERY_MIN },     { "MAX", QUERY_MAX },
};

static query_aggregate find_aggregate(const parser *p, const char **name)
{
    for (size_t i = 0; i < sizeof aggregates / sizeof aggregates[0]; i++) {
        if (at_word(p, aggregates[i].name) && before_parenthesis(p)) {
            *name = aggregates[i].name;
            return aggregates[i].aggregate;
        }
    }
    return QUERY_PLAIN;
}

static bool parse_top(parser *p)
{
    if (!at_word(p, "TOP")) {
        return true;
    }
    if (!next(p)) {
        return false;
    }
    const query_token *t = &p->lexer.token;
    if (t->kind != QUERY_NUMBER || t->number < 1 || t->number > 1e9 ||
        t->number != (double)(uint64_t)t->number) {
        return query_fail_expected(&p->lexer, "a whole number from 1 to 10^9");
    }
    p->query->top_set = true;
    p->query->top = (uint64_t)t->number;
    return next(p);
}

/* COUNT() or one of the others with a property. */
static bool parse_aggregate(parser *p, query_column *c)
{
    if (!next(p) || !expect_sign(p, "(")) {
        return false;
    }
    if (c->aggregate != QUERY_COUNT && !parse_path(p, &c->path)) {
        return false;
    }
    p->query->aggregated = true;
    return expect_sign(p, ")");
}

/* As the last name of the property is written, where no AS names it. */
static char *default_name(const hub_query *q, size_t path)
{
    const query_path *of = &q->paths[path];
    const query_step *last = &of->steps[of->count - 1];

    return last->name != NULL ? hub_strdup(last->name) : hub_format("%zu", last->index);
}

static bool parse_alias(parser *p, query_column *c)
{
    if (!next(p)) {
        return false;
    }
    if (p->lexer.token.kind != QUERY_WORD && p->lexer.token.kind != QUERY_STRING) {
        return query_fail_expected(&p->lexer, "a name behind AS");
    }
    free(c->name);
    c->name = take_text(p);
    return next(p);
}

static bool parse_column(parser *p, query_column *c)
{
    const char *name = NULL;

    c->position = p->lexer.token.start;
    c->aggregate = find_aggregate(p, &name);
    if (c->aggregate != QUERY_PLAIN) {
        if (!parse_aggregate(p, c)) {
            return false;
        }
        c->name = hub_strdup(name);
    } else if (is_keyword(p)) {
        return query_fail_expected(&p->lexer, "* or a property");
    } else if (!parse_path(p, &c->path)) {
        return false;
    }
    return at_word(p, "AS") ? parse_alias(p, c) : true;
}

static bool parse_columns(parser *p)
{
    hub_query *q = p->query;

    if (at_sign(p, "*")) {
        return next(p);
    }
    for (;;) {
        q->columns = grown(q->columns, q->column_count, sizeof *q->columns);
        q->columns[q->column_count++] = (query_column){ 0 };
        if (!parse_column(p, &q->columns[q->column_count - 1])) {
            return false;
        }
        if (!at_sign(p, ",")) {
            return true;
        }
        if (!next(p)) {
            return false;
        }
    }
}

/* --- FROM, WHERE, GROUP BY --------------------------------------------- */

static bool parse_from(parser *p)
{
    if (!expect_word(p, "FROM")) {
        return false;
    }
    const char *start = p->lexer.token.start;
    if (!at_word(p, "devices")) {
        return query_fail_expected(&p->lexer, "devices or devices.modules");
    }
    if (!next(p)) {
        return false;
    }
    if (!at_sign(p, ".")) {
        return true;
    }
    if (!query_lex_name(&p->lexer)) {
        return false;
    }
    if (at_word(p, "jobs")) {
        return query_fail_at(&p->lexer, start,
                             "devices.jobs is not there: the emulator has no jobs");
    }
    if (!at_word(p, "modules")) {
        return query_fail_at(&p->lexer, start, "devices or devices.modules expected");
    }
    p->query->modules = true;
    return next(p);
}

static bool parse_where(parser *p)
{
    return !at_word(p, "WHERE") || (next(p) && parse_expression(p));
}

static bool parse_group_by(parser *p)
{
    hub_query *q = p->query;

    if (!at_word(p, "GROUP")) {
        return true;
    }
    if (q->column_count == 0) {
        return query_fail_at(&p->lexer, p->lexer.token.start, "GROUP BY goes with no SELECT *");
    }
    q->aggregated = true;
    if (!next(p) || !expect_word(p, "BY")) {
        return false;
    }
    for (;;) {
        size_t path;
        if (!parse_path(p, &path)) {
            return false;
        }
        q->groups = grown(q->groups, q->group_count, sizeof *q->groups);
        q->groups[q->group_count++] = path;
        if (!at_sign(p, ",")) {
            return true;
        }
        if (!next(p)) {
            return false;
        }
    }
}

/* --- what can be judged at the end only --------------------------------- */

/* Members of a twin itself are found however they are written, as the hub does it. */
static void canonical(query_step *step)
{
    static const char *const names[] = {
        "deviceId",
        "moduleId",
        "etag",
        "deviceEtag",
        "status",
        "statusReason",
        "connectionState",
        "statusUpdateTime",
        "lastActivityTime",
        "modelId",
        "version",
        "cloudToDeviceMessageCount",
        "authenticationType",
        "x509Thumbprint",
        "tags",
        "properties",
        "capabilities",
        "deviceScope",
        "parentScopes",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (step->name != NULL && strcasecmp(step->name, names[i]) == 0) {
            free(step->name);
            step->name = hub_strdup(names[i]);
            return;
        }
    }
}

static void drop_first(query_path *path)
{
    free(path->steps[0].name);
    path->count--;
    memmove(path->steps, path->steps + 1, path->count * sizeof *path->steps);
}

static bool first_is(const query_path *path, const char *name)
{
    return path->count > 0 && path->steps[0].name != NULL &&
           strcasecmp(path->steps[0].name, name) == 0;
}

/* devices.x and devices.modules.x are x. */
static bool settle_paths(parser *p)
{
    const hub_query *q = p->query;

    for (size_t i = 0; i < q->path_count; i++) {
        query_path *path = &q->paths[i];
        if (first_is(path, "devices")) {
            drop_first(path);
            if (q->modules && first_is(path, "modules")) {
                drop_first(path);
            }
        }
        if (path->count == 0) {
            return query_fail_at(&p->lexer, path->position, "a collection is no property");
        }
        canonical(&path->steps[0]);
    }
    return true;
}

/* In text, as a name for it; no two paths have the same. */
static char *path_text(const query_path *path)
{
    hub_text t = { 0 };

    for (size_t i = 0; i < path->count; i++) {
        const query_step *step = &path->steps[i];
        if (step->name != NULL) {
            hub_text_printf(&t, "%zu:%s", strlen(step->name), step->name);
        } else {
            hub_text_printf(&t, "[%zu]", step->index);
        }
    }
    return t.p;
}

static void find_same_paths(const hub_query *q)
{
    char **texts = hub_calloc(q->path_count + 1, sizeof *texts);
    hub_names seen = { 0 };

    for (size_t i = 0; i < q->path_count; i++) {
        texts[i] = path_text(&q->paths[i]);
        const query_path *other = hub_names_get(&seen, texts[i]);
        q->paths[i].first = other != NULL ? other->first : i;
        if (other == NULL) {
            hub_names_put(&seen, texts[i], &q->paths[i]);
        }
    }
    hub_names_free(&seen);
    for (size_t i = 0; i < q->path_count; i++) {
        free(texts[i]);
    }
    free(texts);
}

static bool find_group(parser *p, query_column *c)
{
    const hub_query *q = p->query;

    for (size_t i = 0; i < q->group_count; i++) {
        if (q->paths[q->groups[i]].first == q->paths[c->path].first) {
            c->group = i;
            return true;
        }
    }
    return query_fail_at(&p->lexer, c->position, "neither an aggregate nor in GROUP BY");
}

static bool settle_columns(parser *p)
{
    hub_query *q = p->query;
    hub_names names = { 0 };
    bool ok = true;

    for (size_t i = 0; ok && i < q->column_count; i++) {
        query_column *c = &q->columns[i];
        if (c->name == NULL) {
            c->name = default_name(q, c->path);
        }
        if (hub_names_get(&names, c->name) != NULL) {
            ok = query_fail_at(&p->lexer, c->position, "a second column %.40s; name it with AS",
                               c->name);
        } else if (q->aggregated && c->aggregate == QUERY_PLAIN) {
            ok = find_group(p, c);
        }
        hub_names_put(&names, c->name, c);
    }
    hub_names_free(&names);
    return ok;
}

/* --- the whole --------------------------------------------------------- */

static bool parse_query(parser *p)
{
    if (!expect_word(p, "SELECT") || !parse_top(p) || !parse_columns(p) || !parse_from(p) ||
        !parse_where(p) || !parse_group_by(p)) {
        return false;
    }
    if (p->lexer.token.kind != QUERY_END) {
        return query_fail_expected(&p->lexer, "the end");
    }
    if (!settle_paths(p)) {
        return false;
    }
    find_same_paths(p->query);
    return settle_columns(p);
}

/* FNV-1a: tells queries apart, no more. */
static uint64_t mark_of(const char *text)
{
    uint64_t mark = UINT64_C(0xCBF29CE484222325);

    for (; *text != '\0'; text++) {
        mark = (mark ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    }
    return mark;
}

hub_result hub_query_parse(const char *text, hub_query **out, hub_fault *fault)
{
    parser p = { .query = hub_calloc(1, sizeof *p.query) };

    p.query->mark = mark_of(text);
    bool ok = query_lex_start(&p.lexer, text, fault) && parse_query(&p);
    query_lex_end(&p.lexer);
    if (!ok) {
        hub_query_free(p.query);
        p.query = NULL;
    }
    *out = p.query;
    return ok ? HUB_OK : HUB_ERR_ARGUMENT;
}

static void free_path(query_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        free(path->steps[i].name);
    }
    free(path->steps);
}

void hub_query_free(hub_query *q)
{
    if (q == NULL) {
        return;
    }
    for (size_t i = 0; i < q->column_count; i++) {
        free(q->columns[i].name);
    }
    for (size_t i = 0; i < q->text_count; i++) {
        free(q->texts[i]);
    }
    for (size_t i = 0; i < q->path_count; i++) {
        free_path(&q->paths[i]);
    }
    free(q->columns);
    free(q->program);
    free(q->constants);
    free(q->texts);
    free(q->paths);
    free(q->groups);
    free(q);
}

bool hub_query_gives_twins(const hub_query *q)
{
    return q->column_count == 0;
}
