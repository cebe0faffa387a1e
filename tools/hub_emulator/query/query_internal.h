#ifndef HUB_QUERY_INTERNAL_H
#define HUB_QUERY_INTERNAL_H

/* Shared by the files of the query language. */

#include "base/text.h"
#include "query/query.h"

/* --- text to tokens ---------------------------------------------------- */

typedef enum query_token_kind {
    QUERY_END = 0,
    QUERY_WORD,   /* a keyword or a name */
    QUERY_NUMBER, /* number */
    QUERY_STRING, /* text */
    QUERY_SIGN    /* sign: one or two characters */
} query_token_kind;

typedef struct query_token {
    query_token_kind kind;
    const char *start; /* in the query */
    size_t len;
    char sign[3];
    double number;
    char *text; /* WORD: as written; STRING: without quotes and escapes; on the heap */
} query_token;

typedef struct query_lexer {
    const char *text;
    const char *at;
    query_token token; /* the current one */
    hub_fault *fault;
} query_lexer;

/* Each returns false after the fault was filled. */
bool query_lex_start(query_lexer *l, const char *text, hub_fault *fault);
bool query_lex_next(query_lexer *l);
/* Behind a dot: whatever may be a name there is one, with digits first or as [[name]] as well. */
bool query_lex_name(query_lexer *l);
void query_lex_end(query_lexer *l);
/* Always false.  The position is that of `at` in the text. */
bool query_fail_at(query_lexer *l, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Always false: this was wanted instead of the current token. */
bool query_fail_expected(query_lexer *l, const char *wanted);

bool query_is_word(const query_token *t, const char *word);
bool query_is_sign(const query_token *t, const char *sign);

/* --- the program ------------------------------------------------------- */

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
    const char *position; /* in the text; while parsing */
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
    const char *position; /* in the text; while parsing */
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

/* --- one twin ---------------------------------------------------------- */

/* The present twin, and its parts, which are made when they are needed. */
typedef struct query_document {
    const hub_query *query;
    query_value *stack;  /* of the machine */
    query_value *values; /* of the paths */
    bool *known;         /* which of them */
    const hub_identity *id;
    cJSON *head;  /* without tags and properties */
    cJSON *whole; /* as SELECT * shows it */
} query_document;

void query_document_open(query_document *d, const hub_query *q);
/* Moves to the next twin. Values of the previous one become invalid. */
void query_document_next(query_document *d, const hub_identity *id);
void query_document_close(query_document *d);
/* The whole twin; the caller frees it. */
cJSON *query_document_take(query_document *d);

/* Returns the value at a path of the query, by index. */
query_value query_value_at(query_document *d, size_t path);
/* True if the twin belongs to the collection of the query and WHERE selects it. */
bool query_selects(query_document *d);

/* A copy as JSON; NULL for undefined. */
cJSON *query_value_json(const query_value *v);
query_value query_value_of(const cJSON *json);
/* Order of two numbers or of two texts; false for anything else. */
bool query_order(const query_value *a, const query_value *b, int *order);

/* --- groups ------------------------------------------------------------ */

/* All rows of an aggregated query, in order. */
cJSON *query_group(const hub_query *q, const hub_registry *r);

#endif
