#ifndef HUB_QUERY_PARSER_H
#define HUB_QUERY_PARSER_H

/* The state of a query while it is parsed, and functions that all rules of the grammar share.
 * The parser uses recursive descent with one function for each rule. A rule that returns false
 * has filled the fault. */

#include "query/query_lex.h"
#include "query/query_program.h"

typedef struct query_parser {
    query_lexer lexer;
    hub_query *query;
    size_t depth; /* current number of nested levels in the text */
    size_t stack; /* number of values on the stack of the program at this point */
} query_parser;

/* --- the current token ------------------------------------------------- */

bool query_at_word(const query_parser *p, const char *word);
bool query_at_sign(const query_parser *p, const char *sign);
/* Returns whether the current token is a keyword, which cannot be the name of a property here. */
bool query_at_keyword(const query_parser *p);
/* Returns whether a parenthesis follows the current word. */
bool query_before_parenthesis(const query_parser *p);

bool query_next(query_parser *p);
/* Moves to the next token if the current one is this word; refuses anything else. */
bool query_expect_word(query_parser *p, const char *word);
bool query_expect_sign(query_parser *p, const char *sign);
/* Removes the text from the current token and returns it; the caller frees it. */
char *query_take_text(query_parser *p);

/* --- pieces ------------------------------------------------------------ */

/* Parses a path whose first word is the current token. *index is the index of the path in the
 * query. */
bool query_parse_path(query_parser *p, size_t *index);

/* --- the program ------------------------------------------------------- */

/* Adds an instruction that takes one value and leaves one. */
void query_emit(query_parser *p, query_op op, size_t a, size_t b);
/* Adds an instruction that leaves one value more. */
void query_emit_push(query_parser *p, query_op op, size_t index);
/* Adds an instruction that takes two values and leaves one. */
void query_emit_binary(query_parser *p, query_op op);
/* Begin and end a nested level of the text. */
bool query_enter_level(query_parser *p);
void query_leave_level(query_parser *p);

#endif
