#ifndef HUB_QUERY_EXPRESSION_H
#define HUB_QUERY_EXPRESSION_H

#include "query/query_parser.h"

/* An expression from the current token on; what it computes is added to the program of the query.
 * False after the fault was filled: also for more than HUB_QUERY_DEPTH_MAX levels. */
bool query_parse_expression(query_parser *p);

#endif
