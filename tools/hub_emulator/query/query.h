#ifndef HUB_QUERY_H
#define HUB_QUERY_H

/**
 * @file
 * The query language of IoT Hub over the twins of devices and modules, as in
 * learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language and query-twins.
 *
 * A text is parsed once into a program for a small stack machine, with limits of length and
 * nesting. The program then runs for one twin after the other. A member that a twin does not have
 * is undefined, and so is each comparison with it; only a condition that is true selects a twin.
 */

#include "registry/registry.h"

#define HUB_QUERY_CHARACTERS_MAX 8192
#define HUB_QUERY_DEPTH_MAX      64
#define HUB_QUERY_PAGE_MAX       100

typedef struct hub_query hub_query;

/**
 * Parses a query. A refusal returns HUB_ERR_ARGUMENT with the position in the text (the first
 * character is 1).
 */
hub_result hub_query_parse(const char *text, hub_query **out, hub_fault *fault);
void hub_query_free(hub_query *q);

/**
 * Returns true if the rows are whole twins (SELECT *), false if they are the columns of the query.
 */
bool hub_query_gives_twins(const hub_query *q);

typedef struct hub_query_page {
    cJSON *rows;        /* array */
    char *continuation; /* token for the next page, on the heap; NULL: these are the last rows */
} hub_query_page;

/**
 * Returns up to `max` rows in the order of the client ids; groups are in the order of their values.
 * continuation is that of the page before, or NULL for the first page. HUB_ERR_ARGUMENT means that
 * it does not belong to this query. Twins that are added or removed between two pages neither hide
 * nor repeat others. The caller owns the members of *page.
 */
hub_result hub_query_run(const hub_query *q, const hub_registry *r, const char *continuation,
                         size_t max, hub_query_page *page, hub_fault *fault);

#endif
