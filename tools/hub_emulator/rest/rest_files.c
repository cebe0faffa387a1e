#include "rest/rest_files.h"

#include <stdlib.h>
#include <string.h>

#include "blobs/blob_files.h"
#include "messages/bag.h"

#define STATUS_CODE_MAX 999999

static const char *text_of(const rest_request *r, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->json, name));
}

/* --- requests of devices ------------------------------------------------ */

/* The storage is at the host and port that the device has used. */
static cJSON *answer_begin(const hub *h, const rest_request *r, const hub_upload *upload)
{
    char *token = hub_uploads_token(&h->uploads, upload);
    cJSON *json = cJSON_CreateObject();

    hub_json_add_text(json, "correlationId", upload->correlation_id);
    hub_json_add_text(json, "hostName", r->host != NULL ? r->host : "localhost");
    hub_json_add_text(json, "containerName", HUB_UPLOADS_CONTAINER);
    hub_json_add_text(json, "blobName", upload->blob_name);
    hub_json_add_text(json, "sasToken", token);
    free(token);
    return json;
}

static rest_outcome begin(hub *h, rest_request *r, rest_handling *out)
{
    const char *name = text_of(r, "blobName");
    const hub_upload *upload;
    hub_fault fault;

    if (name == NULL) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "blobName is missing");
    }
    if (hub_uploads_begin(&h->uploads, r->args[0], name, hub_now(h), &upload, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    return rest_json(out, 200, answer_begin(h, r, upload));
}

/* Checks the body of a notification, and reads its status code, which may be missing. */
static bool read_status(const rest_request *r, int64_t *status)
{
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(r->json, "statusCode");

    return cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(r->json, "isSuccess")) &&
           (code == NULL || hub_json_whole(code, -STATUS_CODE_MAX, STATUS_CODE_MAX, status));
}

/* Returns the address of a blob, in which the name is encoded by segments. */
static char *blob_uri(const rest_request *r, const char *blob)
{
    hub_text uri = { 0 };

    hub_text_printf(&uri, "https://%s/" HUB_UPLOADS_CONTAINER,
                    r->host != NULL ? r->host : "localhost");
    while (*blob != '\0') {
        const size_t len = strcspn(blob, "/");
        char *segment = hub_memdup(blob, len);
        hub_text_str(&uri, "/");
        hub_percent_encode(segment, &uri);
        free(segment);
        blob += len + (blob[len] == '/' ? 1 : 0);
    }
    return uri.p;
}

/* Tells services about an upload that has succeeded, for rest_service_bound.h. */
static void announce(hub *h, const rest_request *r, const hub_upload *upload)
{
    hub_blob_info info = { .changed_ms = hub_now(h) };
    char *uri = blob_uri(r, upload->blob_name);
    cJSON *json = cJSON_CreateObject();

    (void)hub_blob_look(&h->registry.store, upload->blob_name, &info);
    hub_json_add_text(json, "deviceId", upload->device);
    hub_json_add_text(json, "blobUri", uri);
    hub_json_add_text(json, "blobName", upload->blob_name);
    hub_json_add_time(json, "lastUpdatedTime", info.changed_ms);
    (void)cJSON_AddNumberToObject(json, "blobSizeInBytes", (double)info.size);
    hub_json_add_time(json, "enqueuedTimeUtc", hub_now(h));
    hub_service_queue_add(&h->file_notices, hub_json_print(json), hub_now(h));
    cJSON_Delete(json);
    free(uri);
}

static rest_outcome end_upload(hub *h, const rest_request *r, const char *correlation_id,
                               rest_handling *out)
{
    const hub_upload *upload;
    int64_t status = 0;
    hub_fault fault;

    if (correlation_id == NULL || !read_status(r, &status)) {
        return rest_fail(out, HUB_ERR_ARGUMENT,
                         "correlationId, isSuccess or statusCode is missing or wrong");
    }
    const hub_upload_end end = {
        .correlation_id = correlation_id,
        .success = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(r->json, "isSuccess")) != 0,
        .status_code = status,
        .status_description = text_of(r, "statusDescription"),
    };
    if (hub_uploads_end(&h->uploads, r->args[0], &end, hub_now(h), &upload, &fault) != HUB_OK) {
        return rest_fault(out, &fault);
    }
    hub_blob_drop_blocks(&h->registry.store, upload->blob_name);
    if (end.success) {
        announce(h, r, upload);
    }
    return rest_empty(out, 204);
}

/* The vendor's SDKs name the upload in the body or in the path. */
static rest_outcome notify(hub *h, rest_request *r, rest_handling *out)
{
    return end_upload(h, r, text_of(r, "correlationId"), out);
}

static rest_outcome notify_by_path(hub *h, rest_request *r, rest_handling *out)
{
    return end_upload(h, r, r->args[1], out);
}

/* --- for people and tests ----------------------------------------------- */

static rest_outcome list(hub *h, rest_request *r, rest_handling *out)
{
    hub_uploads_expire(&h->uploads, hub_now(h));
    return rest_json(out, 200, hub_uploads_list(&h->uploads, r->query(r, "device")));
}

static rest_outcome change_settings(hub *h, rest_request *r, rest_handling *out)
{
    int64_t life_s;

    if (!hub_json_whole(cJSON_GetObjectItemCaseSensitive(r->json, "tokenLife"), 1,
                        HUB_UPLOADS_LIFE_MAX_S, &life_s)) {
        return rest_fail(out, HUB_ERR_ARGUMENT, "tokenLife: not a number of seconds up to 86400");
    }
    hub_uploads_set_life(&h->uploads, life_s);
    return rest_empty(out, 204);
}

const rest_route rest_files_routes[] = {
    { "POST", "devices/{}/files", HUB_RIGHT_DEVICE_CONNECT, begin },
    { "POST", "devices/{}/files/notifications", HUB_RIGHT_DEVICE_CONNECT, notify },
    { "POST", "devices/{}/files/notifications/{}", HUB_RIGHT_DEVICE_CONNECT, notify_by_path },
    { "GET", "emulator/uploads", HUB_RIGHT_SERVICE_CONNECT, list },
    { "PUT", "emulator/uploads/settings", HUB_RIGHT_SERVICE_CONNECT, change_settings },
    { NULL, NULL, 0, NULL },
};
