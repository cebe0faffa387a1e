/* Reads identities and their messages back from the state directory.
 *
 * A device is deleted when its own file is gone. Anything that is left of it then (modules,
 * messages) was about to be removed, and is removed now. If the file of a device was damaged, it
 * was renamed; what belongs to the device is then kept until somebody repairs the file. */

#include "registry/identities_load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define IDENTITY "identity-"
#define MESSAGE  "c2d-"

/* Reads digits; *end points after them. */
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

/* The list to fill, and where the files are. */
typedef struct loading {
    hub_identities *list;
    const hub_store *store;
    hub_identity **by_number; /* all identities by number, once the list is complete */
} loading;

/* --- identities -------------------------------------------------------- */

/* If an identity has two files, the newer one is valid; the other should have been removed. */
static void take_identity(const loading *l, hub_identity *id)
{
    hub_identity *other = hub_identities_find_client(l->list, id->client_id);

    if (other != NULL) {
        hub_identity *older = other->number < id->number ? other : id;
        char *name = hub_identity_file(older->number);
        hub_store_set_aside(l->store, name, "is an older file of an identity");
        free(name);
        if (older == id) {
            hub_identity_free(id);
            return;
        }
        hub_identities_take_out(l->list, other);
        hub_identity_free(other);
    }
    hub_identities_insert(l->list, id);
}

static hub_result load_identity(void *user, const char *name, hub_fault *fault)
{
    const loading *l = user;
    hub_identity *id;
    uint64_t number;
    const char *rest;

    if (!read_number(name + strlen(IDENTITY), UINT_MAX - 1, &number, &rest)) {
        return HUB_OK;
    }
    hub_identities_note_number(l->list, (unsigned)number);
    char *own = hub_identity_file((unsigned)number);
    bool ours = strcmp(own, name) == 0;
    free(own);
    if (!ours) {
        return HUB_OK; /* already renamed in an earlier run */
    }
    hub_result result = hub_identity_load(l->store, (unsigned)number, &id, fault);
    if (result == HUB_ERR_ARGUMENT) {
        hub_store_set_aside(l->store, name, fault->text);
        return HUB_OK;
    }
    if (result == HUB_OK) {
        take_identity(l, id);
    }
    return result;
}

/* Returns true if the file of this identity was renamed because of damage, now or earlier. */
static bool waits_for_repair(const loading *l, unsigned number)
{
    char *name = hub_identity_file(number);
    bool aside = number != 0 && hub_store_has_aside(l->store, name);

    free(name);
    return aside;
}

/* --- modules ----------------------------------------------------------- */

static bool has_its_device(const loading *l, const hub_identity *module)
{
    const hub_identity *device = hub_identities_find(l->list, module->device, NULL);

    return device != NULL &&
           (module->device_number == 0 || module->device_number == device->number);
}

static void drop_module(const loading *l, hub_identity *module)
{
    char *name = hub_identity_file(module->number);
    hub_fault fault;

    if (waits_for_repair(l, module->device_number)) {
        hub_store_report(l->store, "%s: waits for its device, whose file was set aside", name);
    } else if (module->device_number == 0) {
        hub_store_set_aside(l->store, name, "is a module without a device");
    } else {
        (void)hub_store_remove(l->store, name, &fault);
    }
    free(name);
    hub_identities_take_out(l->list, module);
    hub_identity_free(module);
}

static void drop_modules_without_device(const loading *l)
{
    for (size_t i = l->list->count; i-- > 0;) {
        hub_identity *id = l->list->items[i];
        if (id->module != NULL && !has_its_device(l, id)) {
            drop_module(l, id);
        }
    }
}

/* --- messages ---------------------------------------------------------- */

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
    hub_identity **found = l->list->count == 0 ? NULL
                                               : bsearch(&wanted, l->by_number, l->list->count,
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
    const loading *l = user;
    unsigned owner = 0;
    uint64_t sequence;

    bool ours = read_name(name, &owner, &sequence);
    hub_identities_note_number(l->list, owner);
    if (!ours) {
        return HUB_OK;
    }
    hub_identity *id = find_number(l, owner);
    if (id == NULL && waits_for_repair(l, owner)) {
        return HUB_OK;
    }
    if (id == NULL || sequence <= id->c2d.purged) {
        (void)hub_store_remove(l->store, name, fault);
        return HUB_OK;
    }
    hub_result result = hub_c2d_load(&id->c2d, l->store, name, sequence, fault);
    if (result == HUB_ERR_ARGUMENT) {
        hub_store_set_aside(l->store, name, fault->text);
        return HUB_OK;
    }
    return result;
}

static hub_result load_messages(loading *l, hub_fault *fault)
{
    l->by_number = hub_calloc(l->list->count + 1, sizeof *l->by_number);
    for (size_t i = 0; i < l->list->count; i++) {
        l->by_number[i] = l->list->items[i];
    }
    qsort(l->by_number, l->list->count, sizeof *l->by_number, compare_numbers);
    hub_result result = hub_store_each(l->store, MESSAGE, load_message, l, fault);
    free(l->by_number);
    return result;
}

hub_result hub_identities_load(hub_identities *list, const hub_store *store, hub_fault *fault)
{
    loading l = { .list = list, .store = store };
    hub_result result = hub_store_each(store, IDENTITY, load_identity, &l, fault);

    if (result == HUB_OK) {
        drop_modules_without_device(&l);
        result = load_messages(&l, fault);
    }
    return result;
}
