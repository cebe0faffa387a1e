#ifndef HUB_QUERY_EVAL_H
#define HUB_QUERY_EVAL_H

/* Runs a query for one twin after the other. */

#include "query/query_program.h"

/* The current twin. Its parts are made when they are needed. */
typedef struct query_document {
    const hub_query *query;
    query_value *stack;  /* stack of the machine */
    query_value *values; /* values of the paths */
    bool *known;         /* true for each value of values that is known */
    const hub_identity *id;
    cJSON *head;  /* the twin without tags and properties */
    cJSON *whole; /* the twin as SELECT * returns it */
} query_document;

void query_document_open(query_document *d, const hub_query *q);
/* Moves to the next twin. Values of the previous one become invalid. */
void query_document_next(query_document *d, const hub_identity *id);
void query_document_close(query_document *d);
/* Returns the whole twin; the caller frees it. */
cJSON *query_document_take(query_document *d);

/* Returns the value at a path of the query, by index. */
query_value query_value_at(query_document *d, size_t path);
/* Returns true if the twin belongs to the collection of the query and WHERE selects it. */
bool query_selects(query_document *d);

/* Returns a copy as JSON, or NULL if the value is undefined. */
cJSON *query_value_json(const query_value *v);
query_value query_value_of(const cJSON *json);
/* Compares two numbers or two texts. Returns false for other values, which have no order. */
bool query_order(const query_value *a, const query_value *b, int *order);

#endif
