/* Runs a program for one twin: the values of paths, and the stack machine. */

#include "query/query_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- members of a twin -------------------------------------------------- */

query_value query_value_of(const cJSON *json)
{
    query_value v = { .json = json };

    if (json == NULL) {
        v.kind = QUERY_UNDEFINED;
    } else if (cJSON_IsNull(json)) {
        v.kind = QUERY_NULL;
    } else if (cJSON_IsBool(json)) {
        v.kind = QUERY_BOOLEAN;
        v.truth = cJSON_IsTrue(json);
    } else if (cJSON_IsNumber(json)) {
        v.kind = QUERY_NUMERIC;
        v.number = json->valuedouble;
    } else if (cJSON_IsString(json)) {
        v.kind = QUERY_TEXT;
        v.text = json->valuestring;
    } else {
        v.kind = cJSON_IsArray(json) ? QUERY_ARRAY : QUERY_OBJECT;
    }
    return v;
}

static const cJSON *walk(const cJSON *json, const query_step *steps, size_t count)
{
    for (size_t i = 0; i < count && json != NULL; i++) {
        if (steps[i].name != NULL) {
            json = cJSON_GetObjectItemCaseSensitive(json, steps[i].name);
        } else {
            json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, (int)steps[i].index) : NULL;
        }
    }
    return json;
}

static bool step_is(const query_path *path, size_t i, const char *name)
{
    return i < path->count && path->steps[i].name != NULL && strcmp(path->steps[i].name, name) == 0;
}

static query_value resolve_part(const hub_twin_part *part, const query_path *path)
{
    if (step_is(path, 2, "$version")) {
        query_value version = { .kind = QUERY_NUMERIC, .number = (double)part->version };
        return path->count == 3 ? version : (query_value){ 0 };
    }
    if (step_is(path, 2, "$metadata")) {
        return query_value_of(walk(part->metadata, path->steps + 3, path->count - 3));
    }
    return query_value_of(walk(part->values, path->steps + 2, path->count - 2));
}

static query_value text_value(const char *text)
{
    return text != NULL ? (query_value){ .kind = QUERY_TEXT, .text = text } : (query_value){ 0 };
}

/* Tags and properties are read in place, which avoids a copy of each twin. */
static query_value resolve(query_document *d, const query_path *path)
{
    const hub_twin *twin = &d->id->twin;

    if (step_is(path, 0, "tags")) {
        return query_value_of(walk(twin->tags, path->steps + 1, path->count - 1));
    }
    if (step_is(path, 0, "deviceId") && path->count == 1) {
        return text_value(d->id->device);
    }
    if (step_is(path, 0, "moduleId") && path->count == 1) {
        return text_value(d->id->module);
    }
    if (!step_is(path, 0, "properties")) {
        d->head = d->head != NULL ? d->head : hub_identity_twin_head(d->id);
        return query_value_of(walk(d->head, path->steps, path->count));
    }
    if (path->count > 2 && step_is(path, 1, "desired")) {
        return resolve_part(&twin->desired, path);
    }
    if (path->count > 2 && step_is(path, 1, "reported")) {
        return resolve_part(&twin->reported, path);
    }
    d->whole = d->whole != NULL ? d->whole : hub_identity_twin_view(d->id);
    return query_value_of(walk(d->whole, path->steps, path->count));
}

cJSON *query_document_take(query_document *d)
{
    cJSON *whole = d->whole != NULL ? d->whole : hub_identity_twin_view(d->id);

    d->whole = NULL;
    return whole;
}

query_value query_value_at(query_document *d, size_t path)
{
    const size_t i = d->query->paths[path].first;

    if (!d->known[i]) {
        d->values[i] = resolve(d, &d->query->paths[i]);
        d->known[i] = true;
    }
    return d->values[i];
}

void query_document_open(query_document *d, const hub_query *q)
{
    *d = (query_document){
        .query = q,
        .stack = hub_calloc(q->stack_max + 1, sizeof *d->stack),
        .values = hub_calloc(q->path_count + 1, sizeof *d->values),
        .known = hub_calloc(q->path_count + 1, sizeof *d->known),
    };
}

void query_document_next(query_document *d, const hub_identity *id)
{
    cJSON_Delete(d->head);
    cJSON_Delete(d->whole);
    d->head = NULL;
    d->whole = NULL;
    d->id = id;
    memset(d->known, 0, d->query->path_count * sizeof *d->known);
}

void query_document_close(query_document *d)
{
    query_document_next(d, NULL);
    free(d->stack);
    free(d->values);
    free(d->known);
}

cJSON *query_value_json(const query_value *v)
{
    if (v->json != NULL) {
        return cJSON_Duplicate(v->json, true);
    }
    switch (v->kind) {
    case QUERY_NULL: return cJSON_CreateNull();
    case QUERY_BOOLEAN: return cJSON_CreateBool(v->truth);
    case QUERY_NUMERIC: return cJSON_CreateNumber(v->number);
    case QUERY_TEXT: return cJSON_CreateString(v->text);
    case QUERY_UNDEFINED:
    case QUERY_ARRAY:
    case QUERY_OBJECT: break;
    }
    return NULL;
}

/* --- operators --------------------------------------------------------- */

static query_value boolean(bool truth)
{
    return (query_value){ .kind = QUERY_BOOLEAN, .truth = truth };
}

static query_value undefined(void)
{
    return (query_value){ 0 };
}

static bool is(const query_value *v, bool truth)
{
    return v->kind == QUERY_BOOLEAN && v->truth == truth;
}

static query_value both(query_op op, const query_value *a, const query_value *b)
{
    (void)op;
    if (is(a, false) || is(b, false)) {
        return boolean(false);
    }
    return is(a, true) && is(b, true) ? boolean(true) : undefined();
}

static query_value either(query_op op, const query_value *a, const query_value *b)
{
    (void)op;
    if (is(a, true) || is(b, true)) {
        return boolean(true);
    }
    return is(a, false) && is(b, false) ? boolean(false) : undefined();
}

static query_value calculate(query_op op, const query_value *a, const query_value *b)
{
    double n;

    if (a->kind != QUERY_NUMERIC || b->kind != QUERY_NUMERIC) {
        return undefined();
    }
    if (op == QUERY_ADD) {
        n = a->number + b->number;
    } else if (op == QUERY_SUBTRACT) {
        n = a->number - b->number;
    } else if (op == QUERY_MULTIPLY) {
        n = a->number * b->number;
    } else if (b->number == 0) {
        return undefined();
    } else {
        n = op == QUERY_DIVIDE ? a->number / b->number : fmod(a->number, b->number);
    }
    return isfinite(n) ? (query_value){ .kind = QUERY_NUMERIC, .number = n } : undefined();
}

static bool compound(const query_value *v)
{
    return v->kind == QUERY_ARRAY || v->kind == QUERY_OBJECT;
}

/* Values of different types are never equal. Arrays and objects are never compared. */
static query_value equal(query_op op, const query_value *a, const query_value *b)
{
    (void)op;
    if (a->kind == QUERY_UNDEFINED || b->kind == QUERY_UNDEFINED || (compound(a) && compound(b))) {
        return undefined();
    }
    if (a->kind != b->kind) {
        return boolean(false);
    }
    if (a->kind == QUERY_NUMERIC) {
        return boolean(!(a->number < b->number) && !(a->number > b->number));
    }
    if (a->kind == QUERY_TEXT) {
        return boolean(strcmp(a->text, b->text) == 0);
    }
    return boolean(a->kind == QUERY_NULL || a->truth == b->truth);
}

static query_value negated(query_value v)
{
    return v.kind == QUERY_BOOLEAN ? boolean(!v.truth) : undefined();
}

bool query_order(const query_value *a, const query_value *b, int *order)
{
    if (a->kind == QUERY_NUMERIC && b->kind == QUERY_NUMERIC) {
        *order = a->number < b->number ? -1 : a->number > b->number;
        return true;
    }
    if (a->kind == QUERY_TEXT && b->kind == QUERY_TEXT) {
        *order = strcmp(a->text, b->text);
        return true;
    }
    return false;
}

static query_value ordered(query_op op, const query_value *a, const query_value *b)
{
    int order;

    if (!query_order(a, b, &order)) {
        return undefined();
    }
    if (op == QUERY_LESS) {
        return boolean(order < 0);
    }
    if (op == QUERY_LESS_EQUAL) {
        return boolean(order <= 0);
    }
    return boolean(op == QUERY_GREATER ? order > 0 : order >= 0);
}

static query_value text_test(query_op op, const query_value *a, const query_value *b)
{
    if (a->kind != QUERY_TEXT || b->kind != QUERY_TEXT) {
        return undefined();
    }
    if (op == QUERY_CONTAINS) {
        return boolean(strstr(a->text, b->text) != NULL);
    }
    size_t whole = strlen(a->text);
    size_t part = strlen(b->text);
    const char *at = op == QUERY_ENDS_WITH && whole >= part ? a->text + (whole - part) : a->text;
    return boolean(whole >= part && memcmp(at, b->text, part) == 0);
}

static query_value among(const hub_query *q, const query_instruction *i, const query_value *v)
{
    if (v->kind == QUERY_UNDEFINED) {
        return undefined();
    }
    for (size_t k = 0; k < i->b; k++) {
        query_value same = equal(QUERY_EQUAL, v, &q->constants[i->a + k]);
        if (is(&same, true)) {
            return boolean(true);
        }
    }
    return boolean(false);
}

static query_value kind_test(query_op op, const query_value *v)
{
    const bool any = v->kind != QUERY_UNDEFINED;

    return boolean(op == QUERY_IS_PRIMITIVE ? any && !compound(v) : any);
}

static query_value kind_is(query_op op, const query_value *v)
{
    return boolean((int)v->kind - (int)QUERY_NULL == (int)op - (int)QUERY_IS_NULL);
}

/* --- the machine ------------------------------------------------------- */

static query_value unequal(query_op op, const query_value *a, const query_value *b)
{
    return negated(equal(op, a, b));
}

static query_value inverse(query_op op, const query_value *v)
{
    (void)op;
    return negated(*v);
}

static query_value minus(query_op op, const query_value *v)
{
    (void)op;
    return v->kind == QUERY_NUMERIC ? (query_value){ .kind = QUERY_NUMERIC, .number = -v->number }
                                    : undefined();
}

/* Operators that take one value or two from the stack and leave one. */
static const struct {
    query_value (*one)(query_op op, const query_value *v);
    query_value (*two)(query_op op, const query_value *a, const query_value *b);
} operators[] = {
    [QUERY_NOT] = { .one = inverse },
    [QUERY_NEGATE] = { .one = minus },
    [QUERY_ADD] = { .two = calculate },
    [QUERY_SUBTRACT] = { .two = calculate },
    [QUERY_MULTIPLY] = { .two = calculate },
    [QUERY_DIVIDE] = { .two = calculate },
    [QUERY_REMAINDER] = { .two = calculate },
    [QUERY_EQUAL] = { .two = equal },
    [QUERY_UNEQUAL] = { .two = unequal },
    [QUERY_LESS] = { .two = ordered },
    [QUERY_LESS_EQUAL] = { .two = ordered },
    [QUERY_GREATER] = { .two = ordered },
    [QUERY_GREATER_EQUAL] = { .two = ordered },
    [QUERY_AND] = { .two = both },
    [QUERY_OR] = { .two = either },
    [QUERY_IS_DEFINED] = { .one = kind_test },
    [QUERY_IS_NULL] = { .one = kind_is },
    [QUERY_IS_BOOL] = { .one = kind_is },
    [QUERY_IS_NUMBER] = { .one = kind_is },
    [QUERY_IS_STRING] = { .one = kind_is },
    [QUERY_IS_ARRAY] = { .one = kind_is },
    [QUERY_IS_OBJECT] = { .one = kind_is },
    [QUERY_IS_PRIMITIVE] = { .one = kind_test },
    [QUERY_STARTS_WITH] = { .two = text_test },
    [QUERY_ENDS_WITH] = { .two = text_test },
    [QUERY_CONTAINS] = { .two = text_test },
};

/* Executes one instruction. The stack grows upwards; `top` and the returned pointer are after
 * its last value. */
static query_value *execute(query_document *d, const query_instruction *i, query_value *top)
{
    const hub_query *q = d->query;

    if (i->op == QUERY_PUSH_CONSTANT) {
        *top = q->constants[i->a];
        return top + 1;
    }
    if (i->op == QUERY_PUSH_PATH) {
        *top = query_value_at(d, i->a);
        return top + 1;
    }
    if (i->op == QUERY_IN || i->op == QUERY_NIN) {
        query_value in = among(q, i, &top[-1]);
        top[-1] = i->op == QUERY_IN ? in : negated(in);
        return top;
    }
    if (operators[i->op].one != NULL) {
        top[-1] = operators[i->op].one(i->op, &top[-1]);
        return top;
    }
    top[-2] = operators[i->op].two(i->op, &top[-2], &top[-1]);
    return top - 1;
}

bool query_selects(query_document *d)
{
    const hub_query *q = d->query;
    query_value *top = d->stack;

    if ((d->id->module != NULL) != q->modules) {
        return false;
    }
    for (size_t k = 0; k < q->program_count; k++) {
        top = execute(d, &q->program[k], top);
    }
    return q->program_count == 0 || is(&d->stack[0], true);
}
