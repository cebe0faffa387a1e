#ifndef HUB_QUERY_CLAUSES_H
#define HUB_QUERY_CLAUSES_H

#include "query/query_parser.h"

/* Parses the whole text, from SELECT to its end. False: the fault was filled. */
bool query_parse_clauses(query_parser *p);

#endif
