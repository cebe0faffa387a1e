#ifndef HUB_QUERY_EXPRESSION_H
#define HUB_QUERY_EXPRESSION_H

#include "query/query_parser.h"

/* Parses an expression that begins at the current token, and adds its instructions to the
 * program of the query. Returns false after it has filled the fault, also if there are more than
 * HUB_QUERY_DEPTH_MAX levels. */
bool query_parse_expression(query_parser *p);

#endif
