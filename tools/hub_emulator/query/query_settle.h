#ifndef HUB_QUERY_SETTLE_H
#define HUB_QUERY_SETTLE_H

#include "query/query_parser.h"

/* After the last clause: gives paths their canonical names, finds those that are the same, names
 * the columns and holds them against GROUP BY.  False after the fault was filled. */
bool query_settle(query_parser *p);

#endif
