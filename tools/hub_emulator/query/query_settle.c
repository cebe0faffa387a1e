/* Checks that need the whole query: its paths, and its columns compared with GROUP BY. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/text.h"
#include "query/query_settle.h"

/* --- paths ------------------------------------------------------------- */

/* Names of the twin's own members are matched without regard to case, as by the real hub. */
static void use_own_name(hub_query *q, size_t path)
{
    static const char *const names[] = {
        "deviceId",
        "moduleId",
        "etag",
        "deviceEtag",
        "status",
        "statusReason",
        "connectionState",
        "statusUpdateTime",
        "lastActivityTime",
        "modelId",
        "version",
        "cloudToDeviceMessageCount",
        "authenticationType",
        "x509Thumbprint",
        "tags",
        "properties",
        "capabilities",
        "deviceScope",
        "parentScopes",
    };

    const char *name = q->paths[path].steps[0].name;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name != NULL && strcasecmp(name, names[i]) == 0) {
            query_program_rename_first_step(q, path, names[i]);
            return;
        }
    }
}

static bool first_is(const query_path *path, const char *name)
{
    return path->count > 0 && path->steps[0].name != NULL &&
           strcasecmp(path->steps[0].name, name) == 0;
}

/* Removes the collection from paths: devices.x and devices.modules.x become x. */
static bool settle_paths(query_parser *p)
{
    hub_query *q = p->query;

    for (size_t i = 0; i < q->path_count; i++) {
        const query_path *path = &q->paths[i];
        if (first_is(path, "devices")) {
            query_program_drop_first_step(q, i);
            if (q->modules && first_is(path, "modules")) {
                query_program_drop_first_step(q, i);
            }
        }
        if (path->count == 0) {
            return query_fail_at(&p->lexer, path->position, "a collection is not a property");
        }
        use_own_name(q, i);
    }
    return true;
}

/* Returns the path as text; different paths have different texts. */
static char *path_text(const query_path *path)
{
    hub_text t = { 0 };

    for (size_t i = 0; i < path->count; i++) {
        const query_step *step = &path->steps[i];
        if (step->name != NULL) {
            hub_text_printf(&t, "%zu:%s", strlen(step->name), step->name);
        } else {
            hub_text_printf(&t, "[%zu]", step->index);
        }
    }
    return t.p;
}

static void find_same_paths(hub_query *q)
{
    char **texts = hub_calloc(q->path_count + 1, sizeof *texts);
    hub_names seen = { 0 };

    for (size_t i = 0; i < q->path_count; i++) {
        texts[i] = path_text(&q->paths[i]);
        const query_path *other = hub_names_get(&seen, texts[i]);
        query_program_set_first(q, i, other != NULL ? other->first : i);
        if (other == NULL) {
            hub_names_put(&seen, texts[i], &q->paths[i]);
        }
    }
    hub_names_free(&seen);
    for (size_t i = 0; i < q->path_count; i++) {
        free(texts[i]);
    }
    free(texts);
}

/* --- columns ----------------------------------------------------------- */

/* Returns the name of a column without AS: the last name in the path of its property, as it was
 * written. */
static char *default_name(const hub_query *q, size_t path)
{
    const query_path *of = &q->paths[path];
    const query_step *last = &of->steps[of->count - 1];

    return last->name != NULL ? hub_strdup(last->name) : hub_format("%zu", last->index);
}

static bool find_group(query_parser *p, size_t column)
{
    hub_query *q = p->query;
    const query_column *c = &q->columns[column];

    for (size_t i = 0; i < q->group_count; i++) {
        if (q->paths[q->groups[i]].first == q->paths[c->path].first) {
            query_program_set_group(q, column, i);
            return true;
        }
    }
    return query_fail_at(&p->lexer, c->position, "neither an aggregate nor in GROUP BY");
}

static bool settle_columns(query_parser *p)
{
    hub_query *q = p->query;
    hub_names names = { 0 };
    bool ok = true;

    for (size_t i = 0; ok && i < q->column_count; i++) {
        const query_column *c = &q->columns[i];
        if (c->name == NULL) {
            query_program_name_column(q, i, default_name(q, c->path));
        }
        if (hub_names_get(&names, c->name) != NULL) {
            ok = query_fail_at(&p->lexer, c->position, "a second column %.40s; name it with AS",
                               c->name);
        } else if (q->aggregated && c->aggregate == QUERY_PLAIN) {
            ok = find_group(p, i);
        }
        hub_names_put(&names, c->name, c->name);
    }
    hub_names_free(&names);
    return ok;
}

bool query_settle(query_parser *p)
{
    if (!settle_paths(p)) {
        return false;
    }
    find_same_paths(p->query);
    return settle_columns(p);
}
