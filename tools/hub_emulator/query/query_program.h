#ifndef HUB_QUERY_PROGRAM_H
#define HUB_QUERY_PROGRAM_H

/* A query after it was parsed: columns, paths, constants, and a program for a stack machine. */

#include <cjson/cJSON.h>

#include "query/query.h"

typedef enum query_kind {
    QUERY_UNDEFINED = 0,
    QUERY_NULL,
    QUERY_BOOLEAN,
    QUERY_NUMERIC,
    QUERY_TEXT,
    QUERY_ARRAY,
    QUERY_OBJECT
} query_kind;

/* Borrowed from the query or from the twin. */
typedef struct query_value {
    query_kind kind;
    bool truth;
    double number;
    const char *text;
    const cJSON *json; /* ARRAY and OBJECT; of the others where they stand in JSON */
} query_value;

typedef enum query_op {
    QUERY_PUSH_CONSTANT, /* a: index of the constant */
    QUERY_PUSH_PATH,     /* a: index of the path */
    QUERY_NOT,
    QUERY_NEGATE,
    QUERY_ADD,
    QUERY_SUBTRACT,
    QUERY_MULTIPLY,
    QUERY_DIVIDE,
    QUERY_REMAINDER,
    QUERY_EQUAL,
    QUERY_UNEQUAL,
    QUERY_LESS,
    QUERY_LESS_EQUAL,
    QUERY_GREATER,
    QUERY_GREATER_EQUAL,
    QUERY_AND,
    QUERY_OR,
    QUERY_IN,  /* a: index of the first constant, b: how many */
    QUERY_NIN, /* likewise */
    QUERY_IS_DEFINED,
    QUERY_IS_NULL, /* and so on in the order of query_kind */
    QUERY_IS_BOOL,
    QUERY_IS_NUMBER,
    QUERY_IS_STRING,
    QUERY_IS_ARRAY,
    QUERY_IS_OBJECT,
    QUERY_IS_PRIMITIVE,
    QUERY_STARTS_WITH,
    QUERY_ENDS_WITH,
    QUERY_CONTAINS
} query_op;

typedef struct query_instruction {
    query_op op;
    size_t a;
    size_t b;
} query_instruction;

/* A member by name, or an element of an array by index. */
typedef struct query_step {
    char *name; /* NULL: index */
    size_t index;
} query_step;

typedef struct query_path {
    const char *position; /* in the text of the query; used while it is parsed only */
    query_step *steps;
    size_t count;
    size_t first; /* index of the first path that is the same: it is looked up once for a twin */
} query_path;

typedef enum query_aggregate {
    QUERY_PLAIN = 0,
    QUERY_COUNT,
    QUERY_SUM,
    QUERY_AVG,
    QUERY_MIN,
    QUERY_MAX
} query_aggregate;

typedef struct query_column {
    query_aggregate aggregate;
    size_t path; /* not of COUNT */
    char *name;
    const char *position; /* in the text of the query; used while it is parsed only */
    size_t group;         /* PLAIN in a grouped query: index in groups */
} query_column;

struct hub_query {
    uint64_t mark; /* of the text, for continuations */
    bool modules;  /* FROM devices.modules */
    bool top_set;
    uint64_t top;
    query_column *columns; /* none: SELECT * */
    size_t column_count;
    query_instruction *program; /* WHERE; none: each twin */
    size_t program_count;
    size_t stack_max;
    query_value *constants;
    size_t constant_count;
    char **texts; /* of the constants */
    size_t text_count;
    query_path *paths;
    size_t path_count;
    size_t *groups; /* GROUP BY: indexes of paths */
    size_t group_count;
    bool aggregated; /* one row for many twins */
};

/* Each add_ returns the index of the new element. */

void query_program_emit(hub_query *q, query_op op, size_t a, size_t b);
/* The machine needs room for this number of values. */
void query_program_need_stack(hub_query *q, size_t values);
size_t query_program_add_constant(hub_query *q, query_value v);
/* Takes the text over, and keeps it as long as the query. */
const char *query_program_keep_text(hub_query *q, char *text);
size_t query_program_add_path(hub_query *q, const char *position);
/* Takes the name over; NULL: an index. */
void query_program_add_step(hub_query *q, size_t path, char *name, size_t index);
/* Takes the name in it over. */
size_t query_program_add_column(hub_query *q, const query_column *c);
size_t query_program_add_group(hub_query *q, size_t path);

void query_program_set_mark(hub_query *q, uint64_t mark);
void query_program_set_top(hub_query *q, uint64_t top);
void query_program_set_modules(hub_query *q);
void query_program_set_aggregated(hub_query *q);

/* What is worked out once the whole text was read. */

void query_program_drop_first_step(hub_query *q, size_t path);
void query_program_rename_first_step(hub_query *q, size_t path, const char *name);
/* The first path that is the same as this one. */
void query_program_set_first(hub_query *q, size_t path, size_t first);
/* Takes the name over. */
void query_program_name_column(hub_query *q, size_t column, char *name);
void query_program_set_group(hub_query *q, size_t column, size_t group);

#endif
