#ifndef HUB_QUERY_LEX_H
#define HUB_QUERY_LEX_H

/* The text of a query as tokens. */

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
/* The text of the current token, taken out of it; the caller frees it. */
char *query_lex_take_text(query_lexer *l);
void query_lex_end(query_lexer *l);
/* Always false.  The position is that of `at` in the text. */
bool query_fail_at(query_lexer *l, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Always false: this was wanted instead of the current token. */
bool query_fail_expected(query_lexer *l, const char *wanted);

bool query_is_word(const query_token *t, const char *word);
bool query_is_sign(const query_token *t, const char *sign);

#endif
