#ifndef HUB_QUERY_PROGRAM_H
#define HUB_QUERY_PROGRAM_H

/* A parsed query: columns, paths, constants, and a program for a stack machine. */

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

/* A value whose members belong to the query or to the twin. */
typedef struct query_value {
    query_kind kind;
    bool truth;
    double number;
    const char *text;
    /* The item of an array or object; for other kinds, the item in a twin that was read, or
     * NULL. */
    const cJSON *json;
} query_value;

typedef enum query_op {
    QUERY_PUSH_CONSTANT, /* operand a: index of the constant */
    QUERY_PUSH_PATH,     /* operand a: index of the path */
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
    QUERY_IN,  /* operand a: index of the first constant, b: number of constants */
    QUERY_NIN, /* has the same operands as QUERY_IN */
    QUERY_IS_DEFINED,
    QUERY_IS_NULL, /* this and the following constants have the same order as query_kind */
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

/* One step of a path: a member by name, or an element of an array by index. */
typedef struct query_step {
    char *name; /* NULL: index */
    size_t index;
} query_step;

typedef struct query_path {
    const char *position; /* position in the text of the query; used only while it is parsed */
    query_step *steps;
    size_t count;
    size_t first; /* index of the first equal path, so that it is looked up only once per twin */
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
    size_t path; /* index of the path; not used for COUNT */
    char *name;
    const char *position; /* position in the text of the query; used only while it is parsed */
    size_t group;         /* index in groups, for PLAIN in a grouped query */
} query_column;

struct hub_query {
    uint64_t mark; /* hash of the text, for continuations */
    bool modules;  /* true: FROM devices.modules */
    bool top_set;
    uint64_t top;
    query_column *columns; /* NULL means SELECT * */
    size_t column_count;
    query_instruction *program; /* the program of WHERE; without one, each twin is selected */
    size_t program_count;
    size_t stack_max;
    query_value *constants;
    size_t constant_count;
    char **texts; /* texts of the constants */
    size_t text_count;
    query_path *paths;
    size_t path_count;
    size_t *groups; /* GROUP BY: indexes of paths */
    size_t group_count;
    bool aggregated; /* one row stands for many twins */
};

/* Each function whose name begins with add returns the index of the new element. */

void query_program_emit(hub_query *q, query_op op, size_t a, size_t b);
/* The machine needs room for this number of values. */
void query_program_need_stack(hub_query *q, size_t values);
size_t query_program_add_constant(hub_query *q, query_value v);
/* Takes ownership of the text, and keeps it as long as the query exists. */
const char *query_program_keep_text(hub_query *q, char *text);
size_t query_program_add_path(hub_query *q, const char *position);
/* Takes ownership of the name; NULL: the step is an index. */
void query_program_add_step(hub_query *q, size_t path, char *name, size_t index);
/* Takes ownership of the name in the column. */
size_t query_program_add_column(hub_query *q, const query_column *c);
size_t query_program_add_group(hub_query *q, size_t path);

void query_program_set_mark(hub_query *q, uint64_t mark);
void query_program_set_top(hub_query *q, uint64_t top);
void query_program_set_modules(hub_query *q);
void query_program_set_aggregated(hub_query *q);

/* These functions are used when the whole text was read. */

void query_program_drop_first_step(hub_query *q, size_t path);
void query_program_rename_first_step(hub_query *q, size_t path, const char *name);
/* Sets the first path that is equal to this one. */
void query_program_set_first(hub_query *q, size_t path, size_t first);
/* Takes ownership of the name. */
void query_program_name_column(hub_query *q, size_t column, char *name);
void query_program_set_group(hub_query *q, size_t column, size_t group);

#endif
