#ifndef QUERY_FIXTURE_H
#define QUERY_FIXTURE_H

/* A hub with five devices to query: device1, whose twin is empty, and a, b, c and d with tags
 * and desired properties. c is disabled, and a has the modules m and n. */

#include "hub_fixture.h"
#include "query/query.h"

int query_setup(void **state);

/* Returns all rows as JSON text, fetched in pages of up to `max` rows, or the text of the fault. */
char *query_answer_paged(hub_fixture *f, const char *text, size_t max);
/* Does the same with pages of the default size. */
char *query_answer(hub_fixture *f, const char *text);
void query_expect(hub_fixture *f, const char *text, const char *expected);

/* Returns `before`, `count` times `piece`, `middle`, then `count` times `closing`. */
char *query_repeat(const char *before, const char *piece, size_t count, const char *middle,
                   const char *closing);

#endif
