#ifndef HUB_QUERY_SETTLE_H
#define HUB_QUERY_SETTLE_H

#include "query/query_parser.h"

/* Called after the last clause: gives paths their standard names, finds equal paths, names the
 * columns and compares them with GROUP BY. Returns false after it has filled the fault. */
bool query_settle(query_parser *p);

#endif
