#include "iothub/pnp.h"

#include "text/json_path.h"
#include "text/json_scan.h"

/* The member that marks an object as a component. */
static const char mark[] = "__t";
static const char mark_value[] = "c";

/* --- reported properties --------------------------------------------------------- */

void iothub_pnp_put_component(iothub_json_writer *w, const char *component)
{
    iothub_json_put_object(w, component);
    iothub_json_put_string(w, mark, mark_value);
}

void iothub_pnp_put_ack(iothub_json_writer *w, const char *property, int status, uint64_t version,
                        const char *description)
{
    iothub_json_put_object(w, property);
    iothub_json_put_int(w, "ac", status);
    iothub_json_put_uint(w, "av", version);
    if (description != NULL) {
        iothub_json_put_string(w, "ad", description);
    } else {
        /* Reports are merged, so an old description would stay without this null. */
        iothub_json_put_null(w, "ad");
    }
}

/* --- desired properties ---------------------------------------------------------- */

enum { ROOT_DEPTH = 1 }; /* depth of the document's members */

void iothub_pnp_walk_init(iothub_pnp_walk *p, mqc_span properties, const char *const *components,
                          size_t count)
{
    const iothub_pnp_walk begin = { .components = components, .component_count = count };

    *p = begin;
    iothub_json_reader_init(&p->reader, properties);
    if (!iothub_json_next(&p->reader) || p->reader.kind != IOTHUB_JSON_OBJECT) {
        p->result = IOTHUB_ERR_JSON;
    }
}

/* Returns whether the hub or the conventions have added this member to the properties. */
static bool is_metadata(mqc_span name)
{
    iothub_json_scan s = iothub_json_scan_of(name, 1); /* 1 skips the opening quote */
    uint32_t first;

    return (iothub_json_scan_char(&s, &first) && first == '$') || iothub_json_equals(name, mark);
}

static bool is_listed(const iothub_pnp_walk *p)
{
    for (size_t i = 0; i < p->component_count; i++) {
        if (iothub_json_equals(p->reader.name, p->components[i])) {
            return true;
        }
    }
    return false;
}

/* Looks ahead into the object that begins here, and returns whether it has the mark. */
static bool is_marked(const iothub_pnp_walk *p)
{
    static const char *const path[] = { mark };
    iothub_json_reader ahead = p->reader;
    mqc_span value;

    return iothub_json_skip(&ahead) && iothub_json_find(ahead.value, path, 1, &value) &&
           iothub_json_equals(value, mark_value);
}

/* Returns whether a member of the document is a component, also one that was removed. */
static bool is_component(const iothub_pnp_walk *p)
{
    if (p->reader.kind == IOTHUB_JSON_OBJECT) {
        return is_listed(p) || is_marked(p);
    }
    return p->reader.kind == IOTHUB_JSON_NULL && is_listed(p);
}

/* Continues behind a member of the document or of a component. Returns whether it is a property. */
static bool read_member(iothub_pnp_walk *p)
{
    iothub_json_reader *r = &p->reader;
    const bool metadata = is_metadata(r->name);

    p->name = r->name;
    if (r->depth == ROOT_DEPTH) {
        const bool component = !metadata && is_component(p);
        p->component = component ? r->name : mqc_span_of(NULL, 0);
        if (component && r->kind == IOTHUB_JSON_OBJECT) {
            return false; /* the members of the component follow */
        }
        p->name = component ? mqc_span_of(NULL, 0) : r->name;
    }
    return iothub_json_skip(r) && !metadata;
}

bool iothub_pnp_next(iothub_pnp_walk *p)
{
    iothub_json_reader *r = &p->reader;

    while (p->result == IOTHUB_OK && iothub_json_next(r)) {
        if (r->kind != IOTHUB_JSON_END && read_member(p)) {
            p->kind = r->kind;
            p->value = r->value;
            return true;
        }
    }
    if (p->result == IOTHUB_OK) {
        p->result = r->result;
    }
    return false;
}

/* --- commands -------------------------------------------------------------------- */

iothub_pnp_command iothub_pnp_command_of(mqc_span method)
{
    iothub_pnp_command command = { { NULL, 0 }, method };
    const uint8_t *star = method.len != 0 ? memchr(method.ptr, '*', method.len) : NULL;

    if (star != NULL && star != method.ptr) {
        command.component = mqc_span_of(method.ptr, (size_t)(star - method.ptr));
        command.name = mqc_span_of(star + 1, method.len - command.component.len - 1);
    }
    return command;
}

bool iothub_pnp_is_command(mqc_span method, const char *component, const char *command)
{
    const iothub_pnp_command is = iothub_pnp_command_of(method);

    return mqc_span_eq(is.component, mqc_span_str(component)) &&
           mqc_span_eq(is.name, mqc_span_str(command));
}
