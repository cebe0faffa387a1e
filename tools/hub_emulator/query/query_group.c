/* Computes COUNT, SUM, AVG, MIN and MAX over the twins that WHERE selects, and GROUP BY. */

#include "query/query_group.h"

#include <stdlib.h>
#include <string.h>

#include "query/query_eval.h"

/* The values of one column that were seen so far. */
typedef struct tally {
    double sum;
    uint64_t numbers;
    cJSON *least;
    cJSON *greatest;
} tally;

typedef struct group {
    char *key;      /* the values of GROUP BY as one text */
    cJSON **values; /* the values of GROUP BY as JSON; NULL: undefined */
    tally *tallies; /* one for each column */
    uint64_t count;
} group;

typedef struct grouping {
    const hub_query *query;
    hub_names by_key;
    group **items;
    size_t count;
    size_t capacity;
} grouping;

static query_value group_value(query_document *d, size_t i)
{
    return query_value_at(d, d->query->groups[i]);
}

/* Types are distinct: 1 and '1' are two groups. The separator is a control character that no
 * value contains. */
static char *key_of(const hub_query *q, query_document *d)
{
    hub_text t = { 0 };

    hub_text_str(&t, "");
    for (size_t i = 0; i < q->group_count; i++) {
        query_value v = group_value(d, i);
        cJSON *json = query_value_json(&v);
        char *text = json != NULL ? hub_json_print(json) : hub_strdup("");
        hub_text_printf(&t, "%d%s\x01", (int)v.kind, text);
        cJSON_Delete(json);
        free(text);
    }
    return t.p;
}

static group *new_group(grouping *g, char *key, query_document *d)
{
    const hub_query *q = g->query;
    group *fresh = hub_calloc(1, sizeof *fresh);

    fresh->key = key;
    fresh->tallies = hub_calloc(q->column_count, sizeof *fresh->tallies);
    fresh->values = hub_calloc(q->group_count + 1, sizeof *fresh->values);
    for (size_t i = 0; d != NULL && i < q->group_count; i++) {
        query_value v = group_value(d, i);
        fresh->values[i] = query_value_json(&v);
    }
    if (g->count == g->capacity) {
        g->capacity = g->capacity * 2 + 8;
        g->items = hub_realloc(g->items, g->capacity * sizeof(group *));
    }
    g->items[g->count++] = fresh;
    hub_names_put(&g->by_key, key, fresh);
    return fresh;
}

static group *group_of(grouping *g, query_document *d)
{
    char *key = key_of(g->query, d);
    group *found = hub_names_get(&g->by_key, key);

    if (found == NULL) {
        return new_group(g, key, d);
    }
    free(key);
    return found;
}

static void free_group(const hub_query *q, group *item)
{
    for (size_t i = 0; i < q->group_count; i++) {
        cJSON_Delete(item->values[i]);
    }
    for (size_t i = 0; i < q->column_count; i++) {
        cJSON_Delete(item->tallies[i].least);
        cJSON_Delete(item->tallies[i].greatest);
    }
    free(item->key);
    free(item->values);
    free(item->tallies);
    free(item);
}

/* Numbers come before texts. wanted is -1 for the smallest value, 1 for the largest. */
static void keep_extreme(cJSON **kept, const query_value *v, int wanted)
{
    int order;

    if (*kept != NULL) {
        query_value old = query_value_of(*kept);
        if (!query_order(v, &old, &order)) {
            order = v->kind == QUERY_NUMERIC ? -1 : 1;
        }
        if (wanted < 0 ? order >= 0 : order <= 0) {
            return;
        }
    }
    cJSON_Delete(*kept);
    *kept = query_value_json(v);
}

static void take_value(tally *t, const query_value *v)
{
    if (v->kind == QUERY_NUMERIC) {
        t->sum += v->number;
        t->numbers++;
    }
    if (v->kind == QUERY_NUMERIC || v->kind == QUERY_TEXT) {
        keep_extreme(&t->least, v, -1);
        keep_extreme(&t->greatest, v, 1);
    }
}

static void take_twin(grouping *g, query_document *d)
{
    const hub_query *q = g->query;
    group *to = group_of(g, d);

    to->count++;
    for (size_t i = 0; i < q->column_count; i++) {
        const query_column *c = &q->columns[i];
        if (c->aggregate > QUERY_COUNT) {
            query_value v = query_value_at(d, c->path);
            take_value(&to->tallies[i], &v);
        }
    }
}

static cJSON *column_json(const group *from, const query_column *c, const tally *t)
{
    switch (c->aggregate) {
    case QUERY_PLAIN: return cJSON_Duplicate(from->values[c->group], true);
    case QUERY_COUNT: return cJSON_CreateNumber((double)from->count);
    case QUERY_SUM: return cJSON_CreateNumber(t->sum);
    case QUERY_AVG: return t->numbers > 0 ? cJSON_CreateNumber(t->sum / (double)t->numbers) : NULL;
    case QUERY_MIN: return cJSON_Duplicate(t->least, true);
    case QUERY_MAX: return cJSON_Duplicate(t->greatest, true);
    }
    return NULL;
}

static cJSON *row_of(const hub_query *q, const group *from)
{
    cJSON *row = cJSON_CreateObject();

    for (size_t i = 0; i < q->column_count; i++) {
        cJSON *value = column_json(from, &q->columns[i], &from->tallies[i]);
        if (value != NULL) {
            (void)cJSON_AddItemToObject(row, q->columns[i].name, value);
        }
    }
    return row;
}

static int by_key(const void *a, const void *b)
{
    const group *const *one = a;
    const group *const *other = b;

    return strcmp((*one)->key, (*other)->key);
}

/* Without GROUP BY there is always one row, even if no twin is selected. */
static cJSON *finish(grouping *g)
{
    cJSON *rows = cJSON_CreateArray();

    if (g->count == 0 && g->query->group_count == 0) {
        (void)new_group(g, hub_strdup(""), NULL);
    }
    if (g->count > 0) {
        qsort(g->items, g->count, sizeof(group *), by_key);
    }
    for (size_t i = 0; i < g->count; i++) {
        (void)cJSON_AddItemToArray(rows, row_of(g->query, g->items[i]));
        free_group(g->query, g->items[i]);
    }
    free(g->items);
    hub_names_free(&g->by_key);
    return rows;
}

cJSON *query_group(const hub_query *q, const hub_registry *r)
{
    grouping g = { .query = q };
    query_document d;

    query_document_open(&d, q);
    for (size_t i = 0; i < r->identities.count; i++) {
        query_document_next(&d, r->identities.items[i]);
        if (query_selects(&d)) {
            take_twin(&g, &d);
        }
    }
    query_document_close(&d);
    return finish(&g);
}
