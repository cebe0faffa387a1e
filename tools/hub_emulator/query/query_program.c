#include "query/query_program.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Returns the array of `count` items of this size, with room for one more; it grows at powers of
 * two. */
static void *grown(void *items, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 ? hub_realloc(items, (count > 0 ? 2 * count : 1) * size)
                                      : items;
}

void query_program_emit(hub_query *q, query_op op, size_t a, size_t b)
{
    q->program = grown(q->program, q->program_count, sizeof *q->program);
    q->program[q->program_count++] = (query_instruction){ .op = op, .a = a, .b = b };
}

void query_program_need_stack(hub_query *q, size_t values)
{
    if (values > q->stack_max) {
        q->stack_max = values;
    }
}

size_t query_program_add_constant(hub_query *q, query_value v)
{
    q->constants = grown(q->constants, q->constant_count, sizeof *q->constants);
    q->constants[q->constant_count] = v;
    return q->constant_count++;
}

const char *query_program_keep_text(hub_query *q, char *text)
{
    q->texts = grown(q->texts, q->text_count, sizeof *q->texts);
    q->texts[q->text_count] = text;
    return q->texts[q->text_count++];
}

size_t query_program_add_path(hub_query *q, const char *position)
{
    q->paths = grown(q->paths, q->path_count, sizeof *q->paths);
    q->paths[q->path_count] = (query_path){ .position = position };
    return q->path_count++;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the step keeps the name */
void query_program_add_step(hub_query *q, size_t path, char *name, size_t index)
{
    query_path *to = &q->paths[path];

    to->steps = grown(to->steps, to->count, sizeof *to->steps);
    to->steps[to->count++] = (query_step){ .name = name, .index = index };
}

size_t query_program_add_column(hub_query *q, const query_column *c)
{
    q->columns = grown(q->columns, q->column_count, sizeof *q->columns);
    q->columns[q->column_count] = *c;
    return q->column_count++;
}

size_t query_program_add_group(hub_query *q, size_t path)
{
    q->groups = grown(q->groups, q->group_count, sizeof *q->groups);
    q->groups[q->group_count] = path;
    return q->group_count++;
}

void query_program_set_mark(hub_query *q, uint64_t mark)
{
    q->mark = mark;
}

void query_program_set_top(hub_query *q, uint64_t top)
{
    q->top_set = true;
    q->top = top;
}

void query_program_set_modules(hub_query *q)
{
    q->modules = true;
}

void query_program_set_aggregated(hub_query *q)
{
    q->aggregated = true;
}

void query_program_drop_first_step(hub_query *q, size_t path)
{
    query_path *of = &q->paths[path];

    free(of->steps[0].name);
    of->count--;
    memmove(of->steps, of->steps + 1, of->count * sizeof *of->steps);
}

void query_program_rename_first_step(hub_query *q, size_t path, const char *name)
{
    hub_replace(&q->paths[path].steps[0].name, name);
}

void query_program_set_first(hub_query *q, size_t path, size_t first)
{
    q->paths[path].first = first;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the column keeps the name */
void query_program_name_column(hub_query *q, size_t column, char *name)
{
    q->columns[column].name = name;
}

void query_program_set_group(hub_query *q, size_t column, size_t group)
{
    q->columns[column].group = group;
}

static void free_path(query_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        free(path->steps[i].name);
    }
    free(path->steps);
}

void hub_query_free(hub_query *q)
{
    if (q == NULL) {
        return;
    }
    for (size_t i = 0; i < q->column_count; i++) {
        free(q->columns[i].name);
    }
    for (size_t i = 0; i < q->text_count; i++) {
        free(q->texts[i]);
    }
    for (size_t i = 0; i < q->path_count; i++) {
        free_path(&q->paths[i]);
    }
    free(q->columns);
    free(q->program);
    free(q->constants);
    free(q->texts);
    free(q->paths);
    free(q->groups);
    free(q);
}

bool hub_query_gives_twins(const hub_query *q)
{
    return q->column_count == 0;
}
