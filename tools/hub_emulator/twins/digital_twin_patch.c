/* Applies a JSON Patch of the digital twin to the desired properties. The rules for names,
 * values and the $metadata marker are in "Manage IoT Plug and Play digital twins" of the
 * vendor's documentation. */

#include "twins/digital_twin_patch.h"

#include <stdio.h>
#include <string.h>

#include "twins/digital_twin.h"

#define NAME_MAX_LEN    64
#define VALUE_DEPTH_MAX 5
#define OPERATIONS_MAX  1000 /* the emulator's own limit */

typedef struct operation {
    const char *op;
    char component[NAME_MAX_LEN + 1]; /* "" for a property of the root */
    char property[NAME_MAX_LEN + 1];
    const cJSON *value; /* NULL if the operation is remove */
} operation;

/* The document that the patch changes. */
typedef struct patching {
    const cJSON *reported;
    cJSON *desired;
} patching;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Returns whether this is a name in DTDL: letters, digits and inner underscores, with a letter
 * first. */
static bool name_valid(const char *name, size_t len)
{
    if (len == 0 || len > NAME_MAX_LEN || !is_letter(name[0]) || name[len - 1] == '_') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_letter(name[i]) && !is_digit(name[i]) && name[i] != '_') {
            return false;
        }
    }
    return true;
}

static hub_result check_value(const cJSON *value, int depth, hub_fault *fault)
{
    const cJSON *child;

    if (cJSON_IsArray(value) || cJSON_IsNull(value)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: a value is %s",
                        cJSON_IsNull(value) ? "null" : "an array");
    }
    if (depth > VALUE_DEPTH_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: a value is deeper than %d levels",
                        VALUE_DEPTH_MAX);
    }
    cJSON_ArrayForEach(child, value)
    {
        if (!name_valid(child->string, strlen(child->string))) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: %s is not a name of DTDL",
                            child->string);
        }
        hub_result r = check_value(child, depth + 1, fault);
        if (r != HUB_OK) {
            return r;
        }
    }
    return HUB_OK;
}

/* --- one operation as it was sent -------------------------------------- */

static bool take_name(const char **path, char out[NAME_MAX_LEN + 1])
{
    if (**path != '/') {
        return false;
    }
    size_t len = strcspn(*path + 1, "/");
    if (!name_valid(*path + 1, len)) {
        return false;
    }
    (void)snprintf(out, NAME_MAX_LEN + 1, "%.*s", (int)len, *path + 1);
    *path += 1 + len;
    return true;
}

static hub_result read_path(const char *path, operation *o, hub_fault *fault)
{
    const char *p = path != NULL ? path : "";
    bool fits = take_name(&p, o->property);

    if (fits && *p != '\0') {
        memcpy(o->component, o->property, sizeof o->component);
        fits = take_name(&p, o->property) && *p == '\0';
    }
    if (!fits) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "digital twin: path is not /property, /component or /component/property");
    }
    return HUB_OK;
}

static hub_result read_operation(const cJSON *json, operation *o, hub_fault *fault)
{
    *o = (operation){ .op = hub_json_string(json, "op") };
    if (o->op == NULL || (strcmp(o->op, "add") != 0 && strcmp(o->op, "replace") != 0 &&
                          strcmp(o->op, "remove") != 0)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: op is not add, replace or remove");
    }
    if (strcmp(o->op, "remove") != 0) {
        o->value = cJSON_GetObjectItemCaseSensitive(json, "value");
        if (o->value == NULL) {
            return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: value is missing");
        }
    }
    return read_path(hub_json_string(json, "path"), o, fault);
}

/* --- and as a change --------------------------------------------------- */

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool known_component(const patching *p, const char *name)
{
    return hub_is_component(member(p->desired, name)) ||
           hub_is_component(member(p->reported, name));
}

static bool known_property(const patching *p, const char *name)
{
    return !known_component(p, name) &&
           (member(p->desired, name) != NULL || member(p->reported, name) != NULL);
}

static void put(cJSON *object, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    (void)cJSON_AddItemToObject(object, name, value);
}

static hub_result put_value(cJSON *object, const operation *o, hub_fault *fault)
{
    hub_result r = check_value(o->value, 1, fault);

    if (r == HUB_OK) {
        put(object, o->property, cJSON_Duplicate(o->value, true));
    }
    return r;
}

/* Replaces a whole component: properties that the value does not contain are removed. */
static hub_result put_component(patching *p, const operation *o, hub_fault *fault)
{
    cJSON *component = cJSON_Duplicate(o->value, true);

    cJSON_DeleteItemFromObjectCaseSensitive(component, "$metadata");
    hub_result r = check_value(component, 0, fault);
    if (r != HUB_OK) {
        cJSON_Delete(component);
        return r;
    }
    hub_json_add_text(component, "__t", "c");
    put(p->desired, o->property, component);
    return HUB_OK;
}

static hub_result apply_to_root(patching *p, const operation *o, hub_fault *fault)
{
    if (o->value == NULL) {
        cJSON_DeleteItemFromObjectCaseSensitive(p->desired, o->property);
        return HUB_OK;
    }
    if (cJSON_IsObject(member(o->value, "$metadata"))) {
        return known_property(p, o->property)
                   ? hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: %s is not a component",
                              o->property)
                   : put_component(p, o, fault);
    }
    if (known_component(p, o->property)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "digital twin: the value of component %s lacks \"$metadata\":{}",
                        o->property);
    }
    return put_value(p->desired, o, fault);
}

static void remove_from_component(patching *p, const operation *o)
{
    cJSON *component = cJSON_GetObjectItemCaseSensitive(p->desired, o->component);

    cJSON_DeleteItemFromObjectCaseSensitive(component, o->property);
    if (component != NULL && component->child != NULL && component->child->next == NULL) {
        /* Removes a component of which only the mark is left. */
        cJSON_DeleteItemFromObjectCaseSensitive(p->desired, o->component);
    }
}

static hub_result apply_to_component(patching *p, const operation *o, hub_fault *fault)
{
    cJSON *component = cJSON_GetObjectItemCaseSensitive(p->desired, o->component);

    if (known_property(p, o->component)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: %s is not a component",
                        o->component);
    }
    if (o->value == NULL) {
        remove_from_component(p, o);
        return HUB_OK;
    }
    if (!hub_is_component(component)) {
        component = cJSON_CreateObject();
        hub_json_add_text(component, "__t", "c");
        put(p->desired, o->component, component);
    }
    return put_value(component, o, fault);
}

static hub_result apply(patching *p, const cJSON *json, hub_fault *fault)
{
    operation o;
    hub_result r = read_operation(json, &o, fault);

    if (r != HUB_OK) {
        return r;
    }
    return o.component[0] != '\0' ? apply_to_component(p, &o, fault) : apply_to_root(p, &o, fault);
}

hub_result hub_digital_twin_patch(const hub_twin *t, const cJSON *operations, cJSON **desired,
                                  hub_fault *fault)
{
    patching p = { .reported = t->reported.values };
    const cJSON *json;
    int number = 0;

    if (!cJSON_IsArray(operations)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: the body is not a JSON Patch");
    }
    if (cJSON_GetArraySize(operations) > OPERATIONS_MAX) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "digital twin: more than %d operations",
                        OPERATIONS_MAX);
    }
    p.desired = cJSON_Duplicate(t->desired.values, true);
    cJSON_ArrayForEach(json, operations)
    {
        hub_fault at;
        number++;
        if (apply(&p, json, &at) != HUB_OK) {
            cJSON_Delete(p.desired);
            return hub_fail(fault, at.code, "operation %d: %s", number, at.text);
        }
    }
    *desired = p.desired;
    return HUB_OK;
}
