/* Identities and their messages, read back from the state directory.
 *
 * A device is deleted when its own file is gone: whatever else there is of it then (modules,
 * messages) was on its way to be removed, and goes now.  A device whose file was damaged is another
 * case: its file was set aside, and what belongs to it waits for somebody to repair it. */

#include "registry/registry_load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define IDENTITY "identity-"
#define MESSAGE  "c2d-"

/* Digits behind a prefix; *end points behind them. */
static bool read_number(const char *text, uint64_t max, uint64_t *number, const char **end)
{
    char *stop;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long n = strtoull(text, &stop, 10);
    *number = n;
    *end = stop;
    return errno == 0 && n > 0 && n <= max;
}

/* --- identities -------------------------------------------------------- */

/* Of two files the newer one is valid; the other one should have been removed. */
static void take_identity(hub_registry *r, hub_identity *id)
{
    hub_identity *other = hub_registry_find_client(r, id->client_id);

    if (other != NULL) {
        hub_identity *older = other->number < id->number ? other : id;
        char *name = hub_identity_file(older->number);
        hub_store_set_aside(&r->store, name, "is an older file of an identity");
        free(name);
        if (older == id) {
            hub_identity_free(id);
            return;
        }
        hub_registry_take_out(r, other);
        hub_identity_free(other);
    }
    hub_registry_insert(r, id);
}

static hub_result load_identity(void *user, const char *name, hub_fault *fault)
{
    hub_registry *r = user;
    hub_identity *id;
    uint64_t number;
    const char *rest;

    if (!read_number(name + strlen(IDENTITY), UINT_MAX - 1, &number, &rest)) {
        return HUB_OK;
    }
    r->last_number = number > r->last_number ? (unsigned)number : r->last_number;
    char *own = hub_identity_file((unsigned)number);
    bool ours = strcmp(own, name) == 0;
    free(own);
    if (!ours) {
        return HUB_OK; /* set aside earlier */
    }
    hub_result result = hub_identity_load(&r->store, (unsigned)number, &id, fault);
    if (result == HUB_ERR_ARGUMENT) {
        hub_store_set_aside(&r->store, name, fault->text);
        return HUB_OK;
    }
    if (result == HUB_OK) {
        take_identity(r, id);
    }
    return result;
}

/* True if the file of this identity was set aside, now or earlier. */
static bool waits_for_repair(const hub_registry *r, unsigned number)
{
    char *name = hub_identity_file(number);
    bool aside = number != 0 && hub_store_has_aside(&r->store, name);

    free(name);
    return aside;
}

/* --- modules ----------------------------------------------------------- */

static bool has_its_device(const hub_registry *r, const hub_identity *module)
{
    const hub_identity *device = hub_registry_find(r, module->device, NULL);

    return device != NULL &&
           (module->device_number == 0 || module->device_number == device->number);
}

static void drop_module(hub_registry *r, hub_identity *module)
{
    char *name = hub_identity_file(module->number);
    hub_fault fault;

    if (waits_for_repair(r, module->device_number)) {
        hub_store_report(&r->store, "%s: waits for its device, whose file was set aside", name);
    } else if (module->device_number == 0) {
        hub_store_set_aside(&r->store, name, "is a module without a device");
    } else {
        (void)hub_store_remove(&r->store, name, &fault);
    }
    free(name);
    hub_registry_take_out(r, module);
    hub_identity_free(module);
}

static void drop_modules_without_device(hub_registry *r)
{
    for (size_t i = r->count; i-- > 0;) {
        hub_identity *id = r->items[i];
        if (id->module != NULL && !has_its_device(r, id)) {
            drop_module(r, id);
        }
    }
}

/* --- messages ---------------------------------------------------------- */

typedef struct loading {
    hub_registry *registry;
    hub_identity **by_number;
} loading;

static int compare_numbers(const void *a, const void *b)
{
    unsigned left = (*(hub_identity *const *)a)->number;
    unsigned right = (*(hub_identity *const *)b)->number;

    return (left > right) - (left < right);
}

static hub_identity *find_number(const loading *l, unsigned number)
{
    hub_identity key = { .number = number };
    hub_identity *wanted = &key;
    hub_identity **found = l->registry->count == 0
                               ? NULL
                               : bsearch(&wanted, l->by_number, l->registry->count,
                                         sizeof *l->by_number, compare_numbers);
    return found != NULL ? *found : NULL;
}

/* c2d-OWNER-SEQUENCE.json */
static bool read_name(const char *name, unsigned *owner, uint64_t *sequence)
{
    uint64_t number;
    const char *rest;

    if (!read_number(name + strlen(MESSAGE), UINT_MAX - 1, &number, &rest) || *rest != '-') {
        return false;
    }
    *owner = (unsigned)number;
    return read_number(rest + 1, UINT64_C(1) << 52, sequence, &rest) && strcmp(rest, ".json") == 0;
}

static hub_result load_message(void *user, const char *name, hub_fault *fault)
{
    loading *l = user;
    hub_registry *r = l->registry;
    unsigned owner = 0;
    uint64_t sequence;

    bool ours = read_name(name, &owner, &sequence);
    r->last_number = owner > r->last_number ? owner : r->last_number;
    if (!ours) {
        return HUB_OK;
    }
    hub_identity *id = find_number(l, owner);
    if (id == NULL && waits_for_repair(r, owner)) {
        return HUB_OK;
    }
    if (id == NULL || sequence <= id->c2d.purged) {
        (void)hub_store_remove(&r->store, name, fault);
        return HUB_OK;
    }
    hub_result result = hub_c2d_load(&id->c2d, &r->store, name, sequence, fault);
    if (result == HUB_ERR_ARGUMENT) {
        hub_store_set_aside(&r->store, name, fault->text);
        return HUB_OK;
    }
    return result;
}

static hub_result load_messages(hub_registry *r, hub_fault *fault)
{
    loading l = { r, hub_calloc(r->count + 1, sizeof *l.by_number) };

    for (size_t i = 0; i < r->count; i++) {
        l.by_number[i] = r->items[i];
    }
    qsort(l.by_number, r->count, sizeof *l.by_number, compare_numbers);
    hub_result result = hub_store_each(&r->store, MESSAGE, load_message, &l, fault);
    free(l.by_number);
    return result;
}

hub_result hub_registry_load(hub_registry *r, hub_fault *fault)
{
    hub_result result = hub_store_each(&r->store, IDENTITY, load_identity, r, fault);

    if (result == HUB_OK) {
        drop_modules_without_device(r);
        result = load_messages(r, fault);
    }
    return result;
}
