#include "registry/registry.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/identities_load.h"
#include "registry/scopes.h"

hub_result hub_registry_open(hub_registry *r, const char *dir, hub_notice notice, void *user,
                             hub_fault *fault)
{
    *r = (hub_registry){ 0 };
    hub_store_open(&r->store, dir, notice, user);
    hub_store_tidy(&r->store);
    hub_result result = hub_policies_open(&r->policies, &r->store, fault);
    if (result == HUB_OK) {
        result = hub_authorities_open(&r->authorities, &r->store, fault);
    }
    if (result == HUB_OK) {
        result = hub_identities_load(&r->identities, &r->store, fault);
    }
    if (result != HUB_OK) {
        hub_registry_close(r);
    }
    return result;
}

void hub_registry_start(hub_registry *r, hub_clock now)
{
    for (size_t i = 0; i < r->identities.count; i++) {
        hub_c2d_start(&r->identities.items[i]->c2d, now);
    }
}

void hub_registry_close(hub_registry *r)
{
    hub_identities_free(&r->identities);
    hub_policies_free(&r->policies);
    hub_authorities_free(&r->authorities);
    hub_store_close(&r->store);
    *r = (hub_registry){ 0 };
}

static hub_result check_new(const hub_registry *r, const char *device, const char *module,
                            hub_fault *fault)
{
    if (!hub_id_valid(device) || (module != NULL && !hub_id_valid(module))) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "%.140s: not a device or module id",
                        hub_id_valid(device) ? module : device);
    }
    if (module != NULL && hub_registry_find(r, device, NULL) == NULL) {
        return hub_fail(fault, HUB_ERR_NO_DEVICE, "no device %s", device);
    }
    if (hub_registry_find(r, device, module) != NULL) {
        return hub_fail(fault, module != NULL ? HUB_ERR_MODULE_EXISTS : HUB_ERR_EXISTS,
                        "%s is registered already", module != NULL ? module : device);
    }
    return r->identities.last_number < UINT_MAX - 1
               ? HUB_OK
               : hub_fail(fault, HUB_ERR_STATE, "all numbers of identities are used");
}

/* Applies a change to a copy. `was` is the identity itself, or NULL for a new one. */
static hub_result prepare(const hub_registry *r, const hub_identity *was, hub_identity *next,
                          hub_change *c, int64_t now_ms, hub_fault *fault)
{
    hub_twin twin = next->twin; /* shares everything with next's twin */
    hub_result result = HUB_OK;

    if (c->identity != NULL) {
        result = hub_identity_apply(next, c->identity, now_ms, fault);
        result = result == HUB_OK ? hub_scopes_apply(&r->identities, was, next, c->identity, fault)
                                  : result;
    }
    if (result == HUB_OK && c->twin != NULL) {
        result = hub_twin_update(&twin, c->twin, c->mode, now_ms, &next->twin, &c->notify, fault);
    } else if (result == HUB_OK && c->reported != NULL) {
        result = hub_twin_report(&twin, c->reported, now_ms, &next->twin, fault);
    }
    if (result != HUB_OK) {
        hub_identity_set_twin(next, &twin);
    }
    if (c->model != NULL) {
        hub_identity_set_model(next, c->model);
    }
    if (c->purge) {
        hub_c2d_void(&next->c2d);
    }
    return result;
}

void hub_change_forget_notice(hub_change *c)
{
    cJSON_Delete(c->notify);
    c->notify = NULL;
}

hub_result hub_registry_change(hub_registry *r, hub_identity *id, hub_change *c, int64_t now_ms,
                               hub_fault *fault)
{
    hub_identity next;

    c->notify = NULL;
    hub_identity_fork(id, &next);
    hub_result result = prepare(r, id, &next, c, now_ms, fault);
    if (result == HUB_OK) {
        result = hub_identity_save(&next, &r->store, fault);
    }
    if (result == HUB_OK) {
        hub_identity_settle(id, &next);
    } else {
        hub_identity_discard(id, &next);
        hub_change_forget_notice(c);
    }
    return result;
}

/* A new identity is not visible yet, so it is changed in place. */
static hub_result prepare_new(const hub_registry *r, hub_identity *id, hub_change *c,
                              int64_t now_ms, hub_fault *fault)
{
    const hub_twin before = id->twin;

    hub_result result = prepare(r, NULL, id, c, now_ms, fault);
    hub_twin_discard(&id->twin, &before);
    hub_change_forget_notice(c);
    return result;
}

hub_result hub_registry_create(hub_registry *r, const char *device, const char *module,
                               hub_change *c, int64_t now_ms, hub_identity **out, hub_fault *fault)
{
    hub_change none = { 0 };

    *out = NULL;
    hub_result result = check_new(r, device, module, fault);
    if (result != HUB_OK) {
        return result;
    }
    const hub_identity *owner = module != NULL ? hub_registry_find(r, device, NULL) : NULL;
    hub_identity *id = hub_identity_new(r->identities.last_number + 1, device, module, now_ms);
    if (owner != NULL) {
        hub_identity_set_owner(id, owner);
    }
    result = prepare_new(r, id, c != NULL ? c : &none, now_ms, fault);
    if (result == HUB_OK) {
        result = hub_identity_save(id, &r->store, fault);
    }
    if (result != HUB_OK) {
        hub_identity_free(id);
        return result;
    }
    hub_identities_insert(&r->identities, id);
    *out = id;
    return HUB_OK;
}

hub_result hub_registry_remove_file(hub_registry *r, const hub_identity *id, hub_fault *fault)
{
    char *name = hub_identity_file(id->number);
    hub_result result = hub_store_remove(&r->store, name, fault);

    free(name);
    return result;
}

void hub_registry_forget(hub_registry *r, hub_identity *id)
{
    (void)hub_c2d_drop_all(&id->c2d, &r->store);
    hub_identities_take_out(&r->identities, id);
    hub_identity_free(id);
}
