#ifndef HUB_QUERY_PARSER_H
#define HUB_QUERY_PARSER_H

/* A query while it is parsed: the part of the parser that all rules of the grammar share.
 * Recursive descent, one function a rule.  A rule that returns false has filled the fault. */

#include "query/query_lex.h"
#include "query/query_program.h"

typedef struct query_parser {
    query_lexer lexer;
    hub_query *query;
    size_t depth; /* nesting of the text */
    size_t stack; /* values on the stack of the program at this point */
} query_parser;

/* --- the current token ------------------------------------------------- */

bool query_at_word(const query_parser *p, const char *word);
bool query_at_sign(const query_parser *p, const char *sign);
/* A word of the grammar, which names no property where one is expected. */
bool query_at_keyword(const query_parser *p);
/* Is the current word followed by a parenthesis? */
bool query_before_parenthesis(const query_parser *p);

bool query_next(query_parser *p);
/* Steps over it when it is the current token, and refuses anything else. */
bool query_expect_word(query_parser *p, const char *word);
bool query_expect_sign(query_parser *p, const char *sign);
/* The text is taken out of the token; the caller frees it. */
char *query_take_text(query_parser *p);

/* --- pieces ------------------------------------------------------------ */

/* The word is the current token; *index is that of the path in the query. */
bool query_parse_path(query_parser *p, size_t *index);

/* --- the program ------------------------------------------------------- */

/* An instruction that takes one value and leaves one. */
void query_emit(query_parser *p, query_op op, size_t a, size_t b);
/* One that leaves a value more. */
void query_emit_push(query_parser *p, query_op op, size_t index);
/* One that takes two values and leaves one. */
void query_emit_binary(query_parser *p, query_op op);
/* One level deeper into the text, and out again. */
bool query_enter_level(query_parser *p);
void query_leave_level(query_parser *p);

#endif
