/* Where the devices of a fleet come from: a file, or the registry of the hub. */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/secret.h"
#include "command/commands.h"
#include "fleet/fleet.h"
#include "iothub/connection_string.h"
#include "service/service_fault.h"

enum { BULK = 100, KEY_BYTES = 32, KEY_TEXT = 48, CALL_TIMEOUT_S = 60 }; /* BULK: a hub's limit */

bool fleet_is_ours(const fleet_options *o, uint64_t number)
{
    return number % o->shards == o->shard;
}

static bool grow(fleet *f)
{
    if ((f->count & (f->count + 1)) != 0) { /* there is room up to the next power of two */
        return true;
    }
    fleet_device **longer = realloc(f->devices, 2 * (f->count + 1) * sizeof(fleet_device *));
    if (longer == NULL) {
        cli_error("out of memory");
        return false;
    }
    f->devices = longer;
    return true;
}

/* --- a file ------------------------------------------------------------------------ */

static bool add_entry_of(fleet *f, const cli_list *list, const char *entry)
{
    char where[256];

    (void)snprintf(where, sizeof where, "%.200s, line %zu", list->name, list->line);
    return grow(f) && fleet_add(f, entry, where);
}

bool fleet_read(fleet *f)
{
    cli_list list;
    char *entry;
    uint64_t number = 0;
    cli_list_result r = CLI_LIST_FAILED;

    if (!cli_list_open(&list, f->options->file)) {
        return false;
    }
    while ((r = cli_list_next(&list, &entry)) == CLI_LIST_ENTRY) {
        if (fleet_is_ours(f->options, number++) && !add_entry_of(f, &list, entry)) {
            r = CLI_LIST_FAILED;
            break;
        }
    }
    cli_list_close(&list);
    if (r == CLI_LIST_END && number == 0) {
        (void)cli_error("%s: no connection string in it", list.name);
        return false;
    }
    return r == CLI_LIST_END;
}

/* --- the registry ------------------------------------------------------------------- */

typedef struct new_device {
    char id[IOTHUB_ID_MAX + 1];
    char key[KEY_TEXT];
} new_device;

static bool make_key(char key[KEY_TEXT])
{
    const plat_crypto *crypto = plat_posix()->crypto;
    uint8_t bytes[KEY_BYTES];
    size_t len = 0;
    bool good =
        crypto->random(crypto, bytes, sizeof bytes) == PLAT_OK &&
        crypto->base64_encode(crypto, bytes, sizeof bytes, key, KEY_TEXT - 1, &len) == PLAT_OK;

    key[len] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return good;
}

static bool add_to_body(cJSON *list, const new_device *n)
{
    cJSON *entry = cJSON_CreateObject();

    if (entry == NULL || !cJSON_AddItemToArray(list, entry)) {
        cJSON_Delete(entry);
        return false;
    }
    cJSON *authentication = cJSON_CreateObject();
    bool good = cJSON_AddStringToObject(entry, "id", n->id) != NULL &&
                cJSON_AddStringToObject(entry, "importMode", "createOrUpdate") != NULL &&
                cJSON_AddStringToObject(entry, "status", "enabled") != NULL &&
                cJSON_AddItemToObject(entry, "authentication", authentication);
    if (!good) {
        cJSON_Delete(authentication);
        return false;
    }
    cJSON *keys = cJSON_AddObjectToObject(authentication, "symmetricKey");
    return cJSON_AddStringToObject(authentication, "type", "sas") != NULL &&
           cJSON_AddStringToObject(keys, "primaryKey", n->key) != NULL &&
           cJSON_AddStringToObject(keys, "secondaryKey", n->key) != NULL;
}

static char *bulk_body(const new_device *list, size_t count)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < count; i++) {
        good = add_to_body(json, &list[i]);
    }
    char *body = good ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    if (body == NULL) {
        cli_error("out of memory");
    }
    return body;
}

static bool post(rest *r, const char *body)
{
    const rest_call call = {
        .method = "POST",
        .path = "/devices?" REST_API_VERSION,
        .body = body,
        .timeout_s = CALL_TIMEOUT_S,
    };
    rest_reply reply;

    if (!rest_perform(r, &call, &reply)) {
        return false;
    }
    bool good = reply.status == 200;
    if (!good) {
        service_explain(&reply, call.path, NULL);
    }
    rest_reply_free(&reply);
    return good;
}

static bool add_created(fleet *f, const char *host, const new_device *n)
{
    char *text = NULL;

    if (asprintf(&text, "HostName=%s;DeviceId=%s;SharedAccessKey=%s", host, n->id, n->key) < 0) {
        cli_error("out of memory");
        return false;
    }
    bool good = grow(f) && fleet_add(f, text, n->id);
    cli_forget_text(text);
    return good;
}

static bool create_some(fleet *f, rest *r, const char *host, new_device *list, size_t count)
{
    char *body = bulk_body(list, count);
    bool good = body != NULL && post(r, body);

    cli_forget_text(body);
    for (size_t i = 0; good && i < count; i++) {
        good = add_created(f, host, &list[i]);
    }
    return good;
}

static bool create_all(fleet *f, rest *r, const char *host)
{
    const fleet_options *o = f->options;
    new_device list[BULK];
    size_t count = 0;
    bool good = true;

    for (uint64_t number = 0; good && number < o->create; number++) {
        if (fleet_is_ours(o, number)) {
            new_device *n = &list[count++];
            (void)snprintf(n->id, sizeof n->id, "%s%llu", o->prefix, (unsigned long long)number);
            good = make_key(n->key);
        }
        if (good && (count == BULK || (number + 1 == o->create && count > 0))) {
            good = create_some(f, r, host, list, count);
            count = 0;
        }
    }
    explicit_bzero(list, sizeof list);
    return good;
}

bool fleet_create(fleet *f)
{
    iothub_connection_string cs;
    char host[IOTHUB_HOST_MAX + 1];
    rest *r = rest_open(f->options->rest_port);

    if (r == NULL ||
        iothub_connection_string_parse(&cs, getenv(REST_SERVICE_ENV), NULL) != IOTHUB_OK) {
        rest_close(r);
        return false;
    }
    (void)snprintf(host, sizeof host, "%.*s", (int)cs.host_name.len,
                   (const char *)cs.host_name.ptr);
    bool good = create_all(f, r, host);
    rest_close(r);
    return good;
}
