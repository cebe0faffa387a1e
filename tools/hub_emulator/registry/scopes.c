#include "registry/scopes.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SCHEME     "ms-azure-iot-edge://"
#define SCHEME_LEN (sizeof SCHEME - 1)

/* Reads one member of the body: a missing one keeps the old value, an empty one clears it. */
typedef struct wish {
    bool given;
    const char *scope; /* NULL: none */
} wish;

static hub_result bad(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_SCOPE, "%s", why);
}

static const char *text_or_null(const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static hub_result read_device_scope(const cJSON *body, wish *w, hub_fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "deviceScope");

    *w = (wish){ item != NULL, text_or_null(item) };
    return item == NULL || cJSON_IsString(item) || cJSON_IsNull(item)
               ? HUB_OK
               : bad(fault, "deviceScope: not a string");
}

static hub_result read_parent_scopes(const cJSON *body, wish *w, hub_fault *fault)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "parentScopes");

    *w = (wish){ list != NULL, NULL };
    if (list == NULL || cJSON_IsNull(list)) {
        return HUB_OK;
    }
    if (!cJSON_IsArray(list)) {
        return bad(fault, "parentScopes: not an array");
    }
    const cJSON *first = list->child;
    if (first != NULL && (!cJSON_IsString(first) || first->next != NULL)) {
        return bad(fault, "parentScopes: not one string");
    }
    w->scope = text_or_null(first);
    return HUB_OK;
}

static char *own_scope(const hub_identity *id)
{
    return hub_format(SCHEME "%s-%s", id->device, id->generation_id);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Returns the edge device with this scope. An id may contain '-', a generation may not. */
static const hub_identity *owner_of(const hub_identities *all, const char *scope)
{
    const char *dash = strrchr(scope, '-');

    if (strncmp(scope, SCHEME, SCHEME_LEN) != 0 || dash == NULL || dash < scope + SCHEME_LEN) {
        return NULL;
    }
    char *device = hub_memdup(scope + SCHEME_LEN, (size_t)(dash - scope) - SCHEME_LEN);
    const hub_identity *id = hub_identities_find(all, device, NULL);
    free(device);
    return id != NULL && id->edge && strcmp(id->generation_id, dash + 1) == 0 ? id : NULL;
}

static hub_result check_parent(const hub_identities *all, const hub_identity *child,
                               const char *scope, hub_fault *fault)
{
    const hub_identity *parent = owner_of(all, scope);
    size_t steps = 0;

    if (parent == NULL) {
        return bad(fault, "the parent is not the scope of a registered edge device");
    }
    while (parent != NULL && steps++ <= all->count) {
        if (strcmp(parent->device, child->device) == 0) {
            return bad(fault, "the device would be its own parent");
        }
        parent = parent->parent_scope != NULL ? owner_of(all, parent->parent_scope) : NULL;
    }
    return HUB_OK;
}

static hub_result apply_edge(const hub_identities *all, const hub_identity *was, hub_identity *next,
                             const wish *own, const wish *parent, hub_fault *fault)
{
    char *scope = own_scope(next);
    bool fits = own->scope == NULL || same(own->scope, scope) ||
                (was != NULL && same(own->scope, was->device_scope));
    hub_result result = fits ? HUB_OK : bad(fault, "deviceScope of an edge device is the hub's");

    if (result == HUB_OK && parent->scope != NULL && !same(parent->scope, next->parent_scope)) {
        result = check_parent(all, next, parent->scope, fault);
    }
    if (result != HUB_OK) {
        free(scope);
        return result;
    }
    hub_identity_set_scopes(next, scope, parent->given ? parent->scope : next->parent_scope);
    free(scope);
    return HUB_OK;
}

/* Both members name the parent. If a document was read, changed in one of them and sent back,
 * the other one still has the old value. */
static hub_result wanted_parent(const hub_identity *next, const wish *scope, const wish *parents,
                                const char **wanted, hub_fault *fault)
{
    bool scope_changed = scope->given && !same(scope->scope, next->device_scope);
    bool parents_changed = parents->given && !same(parents->scope, next->parent_scope);

    if (scope_changed && parents_changed && !same(scope->scope, parents->scope)) {
        return bad(fault, "deviceScope and parentScopes name different parents");
    }
    *wanted = scope_changed ? scope->scope : parents_changed ? parents->scope : next->device_scope;
    return HUB_OK;
}

static hub_result apply_leaf(const hub_identities *all, hub_identity *next, const wish *scope,
                             const wish *parents, hub_fault *fault)
{
    const char *wanted = NULL;

    hub_result result = wanted_parent(next, scope, parents, &wanted, fault);
    if (result == HUB_OK && wanted != NULL && !same(wanted, next->device_scope)) {
        result = check_parent(all, next, wanted, fault);
    }
    if (result != HUB_OK) {
        return result;
    }
    hub_identity_set_scopes(next, wanted, wanted);
    return HUB_OK;
}

/* A device that is no longer an edge device has no scope of its own, even if the body repeats
 * it. */
static void forget_own_scope(const hub_identity *was, hub_identity *next, wish *scope)
{
    if (was != NULL && was->edge && !next->edge) {
        scope->given = scope->given && !same(scope->scope, was->device_scope);
        hub_identity_set_scopes(next, next->parent_scope, next->parent_scope);
    }
}

hub_result hub_scopes_apply(const hub_identities *all, const hub_identity *was, hub_identity *next,
                            const cJSON *body, hub_fault *fault)
{
    wish scope;
    wish parents;

    if (next->module != NULL) {
        return HUB_OK;
    }
    hub_result result = read_device_scope(body, &scope, fault);
    if (result == HUB_OK) {
        result = read_parent_scopes(body, &parents, fault);
    }
    if (result != HUB_OK) {
        return result;
    }
    forget_own_scope(was, next, &scope);
    return next->edge ? apply_edge(all, was, next, &scope, &parents, fault)
                      : apply_leaf(all, next, &scope, &parents, fault);
}
