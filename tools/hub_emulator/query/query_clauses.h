#ifndef HUB_QUERY_CLAUSES_H
#define HUB_QUERY_CLAUSES_H

#include "query/query_parser.h"

/* Parses the whole text. Returns false after it has filled the fault. */
bool query_parse_clauses(query_parser *p);

#endif
