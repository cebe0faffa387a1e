#ifndef HUB_QUERY_LEX_H
#define HUB_QUERY_LEX_H

/* Splits the text of a query into tokens. */

#include <stdbool.h>
#include <stddef.h>

#include "base/result.h"

typedef enum query_token_kind {
    QUERY_END = 0,
    QUERY_WORD,   /* a keyword or a name */
    QUERY_NUMBER, /* number */
    QUERY_STRING, /* text */
    QUERY_SIGN    /* sign: one or two characters */
} query_token_kind;

typedef struct query_token {
    query_token_kind kind;
    const char *start; /* position in the query */
    size_t len;
    char sign[3];
    double number;
    char *text; /* a word as it was written, or a string without quotes and escapes; on the heap */
} query_token;

typedef struct query_lexer {
    const char *text;
    const char *at;
    query_token token; /* the current token */
    hub_fault *fault;
} query_lexer;

/* These functions return false after they have filled the fault. */
bool query_lex_start(query_lexer *l, const char *text, hub_fault *fault);
bool query_lex_next(query_lexer *l);
/* Reads a name after a dot; there a name may also begin with a digit or be written as [[name]]. */
bool query_lex_name(query_lexer *l);
/* Removes the text from the current token and returns it; the caller frees it. */
char *query_lex_take_text(query_lexer *l);
void query_lex_end(query_lexer *l);
/* Fills the fault with the position of `at` in the text. Always returns false. */
bool query_fail_at(query_lexer *l, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Fills the fault: `wanted` was expected instead of the current token. Always returns false. */
bool query_fail_expected(query_lexer *l, const char *wanted);

bool query_is_word(const query_token *t, const char *word);
bool query_is_sign(const query_token *t, const char *sign);

#endif
