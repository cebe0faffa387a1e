#include "registry/authorities.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "base/json.h"
#include "base/text.h"

#define STATE_FILE "authorities.json"
#define OWN_FILE   "ca.crt"

/* --- the list ---------------------------------------------------------- */

static void insert(hub_authorities *a, size_t at, hub_certificate *ca)
{
    a->items = hub_realloc(a->items, (a->count + 1) * sizeof(hub_certificate *));
    memmove(a->items + at + 1, a->items + at, (a->count - at) * sizeof(hub_certificate *));
    a->items[at] = ca;
    a->count++;
}

/* Takes a certificate out of the list. It belongs to the caller then. */
static hub_certificate *take_out(hub_authorities *a, size_t at)
{
    hub_certificate *ca = a->items[at];

    a->count--;
    memmove(a->items + at, a->items + at + 1, (a->count - at) * sizeof(hub_certificate *));
    return ca;
}

/* Returns the index of the certificate, count if there is none. */
static size_t find(const hub_authorities *a, const char *thumbprint)
{
    size_t i = 0;

    while (i < a->count && !hub_certificate_has_thumbprint(a->items[i], thumbprint)) {
        i++;
    }
    return i;
}

void hub_authorities_add_own(hub_authorities *a, hub_certificate *ca)
{
    insert(a, a->own, ca);
    a->own++;
}

void hub_authorities_free(hub_authorities *a)
{
    for (size_t i = 0; i < a->count; i++) {
        hub_certificate_free(a->items[i]);
    }
    free(a->items);
    *a = (hub_authorities){ 0 };
}

/* --- on disk ----------------------------------------------------------- */

static hub_result save(const hub_authorities *a, const hub_store *store, hub_fault *fault)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "certificates");

    for (size_t i = a->own; i < a->count; i++) {
        char *text = hub_certificate_to_text(a->items[i]);
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(text));
        free(text);
    }
    hub_result r = hub_store_write_json(store, STATE_FILE, json, fault);
    cJSON_Delete(json);
    return r;
}

static hub_result take_saved(hub_authorities *a, const cJSON *json, hub_fault *fault)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "certificates");
    const cJSON *item;
    hub_result r =
        cJSON_IsArray(list) ? HUB_OK : hub_fail(fault, HUB_ERR_ARGUMENT, "has no certificates");

    cJSON_ArrayForEach(item, list)
    {
        const char *text = cJSON_GetStringValue(item);
        hub_certificate *ca = NULL;
        r = hub_certificate_from_text(&ca, text != NULL ? text : "", fault);
        if (r != HUB_OK) {
            return r;
        }
        insert(a, a->count, ca);
    }
    return r;
}

static hub_result read_saved(hub_authorities *a, const hub_store *store, hub_fault *fault)
{
    cJSON *json;

    hub_result r = hub_store_read_json(store, STATE_FILE, &json, fault);
    if (r == HUB_ERR_NO_RESOURCE) {
        return HUB_OK;
    }
    if (r == HUB_OK) {
        r = take_saved(a, json, fault);
        cJSON_Delete(json);
    }
    if (r == HUB_ERR_ARGUMENT) {
        hub_store_set_aside(store, STATE_FILE, fault->text);
        r = HUB_OK;
    }
    return r;
}

/* The launcher checks whether this file is damaged. */
static void read_own(hub_authorities *a, const hub_store *store)
{
    char *path = hub_store_path(store, OWN_FILE);
    gnutls_datum_t data = { 0 };
    hub_certificate *ca = NULL;
    hub_fault fault;

    if (gnutls_load_file(path, &data) >= 0) {
        char *text = hub_memdup(data.data, data.size);
        if (hub_certificate_from_text(&ca, text, &fault) == HUB_OK) {
            hub_authorities_add_own(a, ca);
        }
        free(text);
        gnutls_free(data.data);
    }
    free(path);
}

hub_result hub_authorities_open(hub_authorities *a, const hub_store *store, hub_fault *fault)
{
    *a = (hub_authorities){ 0 };
    hub_result r = read_saved(a, store, fault);
    if (r != HUB_OK) {
        hub_authorities_free(a);
        return r;
    }
    read_own(a, store);
    return HUB_OK;
}

/* --- changes ----------------------------------------------------------- */

static hub_result check(const hub_authorities *a, const hub_certificate *ca, hub_fault *fault)
{
    if (!ca->is_ca) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "%.100s is not the certificate of a CA (basic constraints)", ca->subject);
    }
    return a->count - a->own < HUB_AUTHORITIES_MAX
               ? HUB_OK
               : hub_fail(fault, HUB_ERR_ARGUMENT, "more than %d CAs", HUB_AUTHORITIES_MAX);
}

static hub_result add(hub_authorities *a, const hub_store *store, hub_certificate *ca,
                      hub_fault *fault)
{
    hub_result r = check(a, ca, fault);

    if (r != HUB_OK) {
        return r;
    }
    insert(a, a->count, ca);
    r = save(a, store, fault);
    if (r != HUB_OK) {
        (void)take_out(a, a->count - 1);
    }
    return r;
}

hub_result hub_authorities_add(hub_authorities *a, const hub_store *store, const char *text,
                               const hub_certificate **out, hub_fault *fault)
{
    hub_certificate *ca;

    hub_result r = hub_certificate_from_text(&ca, text, fault);
    if (r != HUB_OK) {
        return r;
    }
    size_t at = find(a, ca->thumbprint256);
    if (at < a->count) {
        hub_certificate_free(ca);
        *out = a->items[at];
        return HUB_OK;
    }
    r = add(a, store, ca, fault);
    if (r != HUB_OK) {
        hub_certificate_free(ca);
        return r;
    }
    *out = ca;
    return HUB_OK;
}

hub_result hub_authorities_remove(hub_authorities *a, const hub_store *store,
                                  const char *thumbprint, hub_fault *fault)
{
    size_t at = find(a, thumbprint);

    if (at < a->own || at == a->count) {
        return hub_fail(fault, HUB_ERR_NO_RESOURCE, "no CA with this thumbprint was registered");
    }
    hub_certificate *ca = take_out(a, at);
    hub_result r = save(a, store, fault);
    if (r != HUB_OK) {
        insert(a, at, ca);
        return r;
    }
    hub_certificate_free(ca);
    return HUB_OK;
}
