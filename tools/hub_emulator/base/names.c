#include "base/names.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

typedef struct named {
    const char *name;
    void *value;
} named;

static int compare(const void *a, const void *b)
{
    const named *one = a;
    const named *other = b;

    return strcmp(one->name, other->name);
}

/* tsearch(3) keeps pointers to the entries in its nodes; the pointer is the first member of a
 * node. */
static named *named_of(void *node)
{
    return node != NULL ? *(named **)node : NULL;
}

static named *find(const hub_names *n, const char *name)
{
    const named wanted = { .name = name };

    return named_of(tfind(&wanted, &n->root, compare));
}

void hub_names_put(hub_names *n, const char *name, void *value)
{
    named *e = find(n, name);

    if (e == NULL) {
        e = hub_calloc(1, sizeof *e);
        e->name = name;
        if (tsearch(e, &n->root, compare) == NULL) {
            hub_out_of_memory();
        }
    }
    e->name = name;
    e->value = value;
}

void *hub_names_get(const hub_names *n, const char *name)
{
    const named *e = find(n, name);
    return e != NULL ? e->value : NULL;
}

void hub_names_drop(hub_names *n, const char *name)
{
    named *e = find(n, name);

    if (e != NULL) {
        (void)tdelete(e, &n->root, compare);
        free(e);
    }
}

void hub_names_free(hub_names *n)
{
    tdestroy(n->root, free);
    n->root = NULL;
}
