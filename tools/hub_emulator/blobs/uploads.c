#include "blobs/uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "messages/bag.h"

#define VERSION           "2021-12-02" /* version of the storage service in the token */
#define PERMISSIONS       "rw"
#define RESOURCE          "b" /* a single blob */
#define CORRELATION_BYTES 24
#define SECOND_MS         1000

void hub_uploads_init(hub_uploads *u)
{
    *u = (hub_uploads){ .life_ms = (int64_t)HUB_UPLOADS_LIFE_S * SECOND_MS };
    hub_random(u->key, sizeof u->key);
}

static void forget(hub_uploads *u, hub_upload *upload)
{
    hub_list_remove(&upload->in_all);
    free(upload->correlation_id);
    free(upload->device);
    free(upload->blob_name);
    free(upload->status_description);
    free(upload);
    u->count--;
}

void hub_uploads_free(hub_uploads *u)
{
    hub_upload *next;

    for (hub_upload *i = hub_list_first(&u->all); i != NULL; i = next) {
        next = hub_list_next(&i->in_all);
        forget(u, i);
    }
}

void hub_uploads_set_life(hub_uploads *u, int64_t seconds)
{
    u->life_ms = seconds * SECOND_MS;
}

/* --- begin ------------------------------------------------------------- */

/* The rules of the storage: 1 to 1,024 characters, and no dot or slash at the end. The emulator
 * also refuses segments that a URL could lose on its way. */
static bool is_blob_name(const char *device, const char *name)
{
    const size_t len = strlen(name);
    bool good = len > 0 && strlen(device) + 1 + len <= HUB_BLOB_NAME_MAX && hub_utf8_plain(name) &&
                name[0] != '/' && name[len - 1] != '/' && name[len - 1] != '.' &&
                strchr(name, '\\') == NULL;

    for (const char *at = name; good && *at != '\0';) {
        const size_t n = strcspn(at, "/");
        good = n > 0 && strspn(at, ".") != n;
        at += n + (at[n] == '/' ? 1 : 0);
    }
    return good;
}

static size_t active_of(const hub_uploads *u, const char *device)
{
    size_t count = 0;

    for (const hub_upload *i = hub_list_first(&u->all); i != NULL; i = hub_list_next(&i->in_all)) {
        count += i->state == HUB_UPLOAD_ACTIVE && strcmp(i->device, device) == 0 ? 1 : 0;
    }
    return count;
}

/* Drops the oldest uploads that have ended. */
static void limit(hub_uploads *u)
{
    hub_upload *oldest = NULL;

    if (u->count <= HUB_UPLOADS_ENDED_MAX) {
        return;
    }
    for (hub_upload *i = hub_list_first(&u->all); i != NULL; i = hub_list_next(&i->in_all)) {
        oldest = i->state != HUB_UPLOAD_ACTIVE ? i : oldest;
    }
    if (oldest != NULL) {
        forget(u, oldest);
    }
}

static char *new_correlation_id(void)
{
    uint8_t bytes[CORRELATION_BYTES];

    hub_random(bytes, sizeof bytes);
    return hub_base64_encode(bytes, sizeof bytes);
}

hub_result hub_uploads_begin(hub_uploads *u, const char *device, const char *name, int64_t now_ms,
                             const hub_upload **out, hub_fault *fault)
{
    hub_uploads_expire(u, now_ms);
    if (!is_blob_name(device, name)) {
        return hub_fail(fault, HUB_ERR_ARGUMENT, "blobName is not a name of a blob");
    }
    if (active_of(u, device) >= HUB_UPLOADS_ACTIVE_MAX) {
        return hub_fail(fault, HUB_ERR_UPLOADS, "the device has %d active file uploads",
                        HUB_UPLOADS_ACTIVE_MAX);
    }
    hub_upload *upload = hub_calloc(1, sizeof *upload);
    upload->correlation_id = new_correlation_id();
    upload->device = hub_strdup(device);
    upload->blob_name = hub_format("%s/%s", device, name);
    upload->begun_ms = now_ms;
    upload->expires_ms = now_ms + u->life_ms;
    hub_list_push(&u->all, &upload->in_all, upload);
    u->count++;
    limit(u);
    *out = upload;
    return HUB_OK;
}

/* --- end --------------------------------------------------------------- */

void hub_uploads_expire(hub_uploads *u, int64_t now_ms)
{
    for (hub_upload *i = hub_list_first(&u->all); i != NULL; i = hub_list_next(&i->in_all)) {
        if (i->state == HUB_UPLOAD_ACTIVE && i->expires_ms <= now_ms) {
            i->state = HUB_UPLOAD_EXPIRED;
        }
    }
}

static hub_upload *find_active(const hub_uploads *u, const char *device, const char *id)
{
    hub_upload *i = hub_list_first(&u->all);

    while (i != NULL && (i->state != HUB_UPLOAD_ACTIVE || strcmp(i->device, device) != 0 ||
                         strcmp(i->correlation_id, id) != 0)) {
        i = hub_list_next(&i->in_all);
    }
    return i;
}

hub_result hub_uploads_end(hub_uploads *u, const char *device, const hub_upload_end *end,
                           int64_t now_ms, const hub_upload **out, hub_fault *fault)
{
    hub_uploads_expire(u, now_ms);
    hub_upload *upload = find_active(u, device, end->correlation_id);
    if (upload == NULL) {
        return hub_fail(fault, HUB_ERR_NO_RESOURCE,
                        "the device has no active file upload with this correlationId");
    }
    upload->state = end->success ? HUB_UPLOAD_SUCCEEDED : HUB_UPLOAD_FAILED;
    upload->status_code = end->status_code;
    hub_replace(&upload->status_description, end->status_description);
    if (out != NULL) {
        *out = upload;
    }
    return HUB_OK;
}

bool hub_uploads_block_id_fits(hub_uploads *u, const char *blob_name, size_t len)
{
    hub_upload *i = hub_list_first(&u->all);

    while (i != NULL && (i->state != HUB_UPLOAD_ACTIVE || strcmp(i->blob_name, blob_name) != 0)) {
        i = hub_list_next(&i->in_all);
    }
    if (i == NULL) {
        return true; /* it has ended, but its token is still valid */
    }
    i->block_id_len = i->block_id_len == 0 ? len : i->block_id_len;
    return i->block_id_len == len;
}

static cJSON *to_json(const hub_upload *upload)
{
    static const char *const states[] = { "active", "succeeded", "failed", "expired" };
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "deviceId", upload->device);
    hub_json_add_text(json, "blobName", upload->blob_name);
    hub_json_add_text(json, "correlationId", upload->correlation_id);
    hub_json_add_text(json, "state", states[upload->state]);
    hub_json_add_time(json, "begunTime", upload->begun_ms);
    hub_json_add_time(json, "expiryTime", upload->expires_ms);
    (void)cJSON_AddNumberToObject(json, "statusCode", (double)upload->status_code);
    if (upload->status_description != NULL) {
        hub_json_add_text(json, "statusDescription", upload->status_description);
    }
    return json;
}

cJSON *hub_uploads_list(const hub_uploads *u, const char *device)
{
    cJSON *list = cJSON_CreateArray();

    for (const hub_upload *i = hub_list_first(&u->all); i != NULL; i = hub_list_next(&i->in_all)) {
        if (device == NULL || strcmp(i->device, device) == 0) {
            (void)cJSON_AddItemToArray(list, to_json(i));
        }
    }
    return list;
}

/* --- tokens ------------------------------------------------------------ */

/* Returns the signature over everything that the token allows, on the heap. */
static char *sign(const hub_uploads *u, const char *blob_name, const char *se)
{
    uint8_t mac[HUB_SHA256_SIZE];
    char *text = hub_format(
        PERMISSIONS "\n%s\n/" HUB_UPLOADS_CONTAINER "/%s\n" VERSION "\n" RESOURCE, se, blob_name);

    hub_hmac_sha256(u->key, sizeof u->key, text, strlen(text), mac);
    free(text);
    return hub_base64_encode(mac, sizeof mac);
}

/* Writes a time without fractions of a second, such as 2026-11-20T10:11:12Z. */
static void expiry_text(int64_t ms, char out[HUB_TIME_SIZE])
{
    hub_time_text(ms, out);
    const size_t seconds_len = strcspn(out, ".");
    out[seconds_len] = 'Z';
    out[seconds_len + 1] = '\0';
}

char *hub_uploads_token(const hub_uploads *u, const hub_upload *upload)
{
    char se[HUB_TIME_SIZE];
    hub_text out = { 0 };

    expiry_text(upload->expires_ms, se);
    char *sig = sign(u, upload->blob_name, se);
    hub_text_str(&out, "?sv=" VERSION "&se=");
    hub_percent_encode(se, &out);
    hub_text_str(&out, "&sr=" RESOURCE "&sp=" PERMISSIONS "&sig=");
    hub_percent_encode(sig, &out);
    free(sig);
    return out.p;
}

static bool is(const char *value, const char *expected)
{
    return value != NULL && strcmp(value, expected) == 0;
}

/* The order of such texts is that of the times. */
static bool has_expired(const char *se, int64_t now_ms)
{
    char now[HUB_TIME_SIZE];

    expiry_text(now_ms, now);
    return strcmp(se, now) <= 0;
}

const char *hub_uploads_check_token(const hub_uploads *u, const hub_storage_token *t,
                                    const char *blob_name, int64_t now_ms)
{
    if (t->sig == NULL || t->se == NULL || !is(t->sv, VERSION) || !is(t->sr, RESOURCE) ||
        !is(t->sp, PERMISSIONS)) {
        return "the request has no token of this storage";
    }
    char *sig = sign(u, blob_name, t->se);
    const bool same = strlen(t->sig) == strlen(sig) && hub_same_bytes(t->sig, sig, strlen(sig));
    free(sig);
    if (!same) {
        return "the signature does not match: the token is for another blob, or was changed";
    }
    return has_expired(t->se, now_ms) ? "the token has expired" : NULL;
}
