#ifndef HUB_QUERY_GROUP_H
#define HUB_QUERY_GROUP_H

#include "query/query_program.h"

/* Returns all rows of an aggregated query, in order. */
cJSON *query_group(const hub_query *q, const hub_registry *r);

#endif
