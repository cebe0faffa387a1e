/* Finds the connection strings of a fleet: in a file, or by registering devices at the hub. */

#include "fleet/source.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/secret.h"
#include "command/commands.h"
#include "hub/refusal.h"
#include "hub/rest.h"
#include "iothub/connection_string.h"
#include "platform/platform.h"

/* BULK is the hub's limit of devices in one request. */
enum { BULK = 100, KEY_BYTES = 32, KEY_TEXT = 48, CALL_TIMEOUT_S = 60 };

/* Where the devices are added. */
typedef struct sink {
    fleet_shard shard;
    fleet_source_take take;
    void *user;
} sink;

static bool is_ours(const sink *s, uint64_t number)
{
    return number % s->shard.count == s->shard.index;
}

/* --- a file ------------------------------------------------------------------------ */

static bool take_entry(const sink *s, const cli_list *list, const char *entry)
{
    char where[256];

    (void)snprintf(where, sizeof where, "%.200s, line %zu", list->name, list->line);
    return s->take(s->user, entry, where);
}

bool fleet_source_read(const char *file, fleet_shard shard, fleet_source_take take, void *user)
{
    const sink s = { shard, take, user };
    cli_list list;
    char *entry;
    uint64_t number = 0;
    cli_list_result r = CLI_LIST_FAILED;

    if (!cli_list_open(&list, file)) {
        return false;
    }
    while ((r = cli_list_next(&list, &entry)) == CLI_LIST_ENTRY) {
        if (is_ours(&s, number++) && !take_entry(&s, &list, entry)) {
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

/* The hub at which the devices are registered. */
typedef struct registry {
    rest *rest;
    char host[IOTHUB_HOST_MAX + 1];
} registry;

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
        hub_explain_refusal(&reply, call.path, NULL);
    }
    rest_reply_free(&reply);
    return good;
}

static bool take_created(const sink *s, const char *host, const new_device *n)
{
    char *text = NULL;

    if (asprintf(&text, "HostName=%s;DeviceId=%s;SharedAccessKey=%s", host, n->id, n->key) < 0) {
        cli_error("out of memory");
        return false;
    }
    bool good = s->take(s->user, text, n->id);
    cli_forget_text(text);
    return good;
}

static bool create_some(const sink *s, const registry *to, new_device *list, size_t count)
{
    char *body = bulk_body(list, count);
    bool good = body != NULL && post(to->rest, body);

    cli_forget_text(body);
    for (size_t i = 0; good && i < count; i++) {
        good = take_created(s, to->host, &list[i]);
    }
    return good;
}

static bool create_all(const fleet_source_new *devices, const sink *s, const registry *to)
{
    new_device list[BULK];
    size_t count = 0;
    bool good = true;

    for (uint64_t number = 0; good && number < devices->count; number++) {
        if (is_ours(s, number)) {
            new_device *n = &list[count++];
            (void)snprintf(n->id, sizeof n->id, "%s%llu", devices->prefix,
                           (unsigned long long)number);
            good = make_key(n->key);
        }
        if (good && (count == BULK || (number + 1 == devices->count && count > 0))) {
            good = create_some(s, to, list, count);
            count = 0;
        }
    }
    explicit_bzero(list, sizeof list);
    return good;
}

bool fleet_source_create(const fleet_source_new *devices, fleet_shard shard, fleet_source_take take,
                         void *user)
{
    const sink s = { shard, take, user };
    iothub_connection_string cs;
    registry to = { .rest = rest_open(devices->rest_port) };

    if (to.rest == NULL ||
        iothub_connection_string_parse(&cs, getenv(REST_SERVICE_ENV), NULL) != IOTHUB_OK) {
        rest_close(to.rest);
        return false;
    }
    (void)snprintf(to.host, sizeof to.host, "%.*s", (int)cs.host_name.len,
                   (const char *)cs.host_name.ptr);
    bool good = create_all(devices, &s, &to);
    rest_close(to.rest);
    return good;
}
