#include "server/blob_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blobs/blob_files.h"
#include "blobs/blob_range.h"
#include "messages/bag.h"

#define PATH           "/" HUB_UPLOADS_CONTAINER "/"
#define LIST_MAX       (8u * 1024 * 1024) /* most bytes of a block list */
#define BODY_MAX       (UINT64_C(5) << 30)
#define VERSION        "2021-12-02"
#define BLOCK_BLOB     "BlockBlob"
#define REQUEST_ID_LEN 16

typedef enum blob_stage {
    BLOB_HEAD = 0,
    BLOB_BODY,    /* reads the body */
    BLOB_STALLED, /* does nothing any more */
    BLOB_ANSWERED /* drops the rest of the body */
} blob_stage;

struct blob_call {
    hub *hub;
    struct MHD_Connection *connection;
    blob_stage stage;
    const char *method;
    char *blob; /* name, decoded; NULL: not readable */
    hub_storage_operation operation;
    hub_storage_fault_kind fault;
    hub_block_id block;
    hub_blob_writer writer; /* PUT_BLOB, PUT_BLOCK */
    hub_text list;          /* PUT_LIST */
};

bool blob_call_wanted(const char *path)
{
    return strncmp(path, PATH, strlen(PATH)) == 0;
}

blob_call *blob_call_new(hub *h, struct MHD_Connection *connection, const char *method,
                         const char *path)
{
    blob_call *c = hub_calloc(1, sizeof *c);
    const char *name = path + strlen(PATH);

    *c = (blob_call){ .hub = h, .connection = connection, .method = method };
    c->blob = hub_percent_decode(name, strlen(name));
    hub_blob_writer_init(&c->writer);
    hub_text_str(&c->list, "");
    return c;
}

void blob_call_free(blob_call *c)
{
    if (c == NULL) {
        return;
    }
    hub_blob_writer_cancel(&c->writer);
    hub_text_free(&c->list);
    free(c->blob);
    free(c);
}

/* --- answers ----------------------------------------------------------- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static void add_common(struct MHD_Response *response)
{
    uint8_t bytes[REQUEST_ID_LEN / 2];
    char id[REQUEST_ID_LEN + 1];

    hub_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    }
    add_header(response, "x-ms-request-id", id);
    add_header(response, "x-ms-version", VERSION);
}

static enum MHD_Result send_response(blob_call *c, unsigned status, struct MHD_Response *response)
{
    c->stage = BLOB_ANSWERED;
    if (response == NULL) {
        return MHD_NO;
    }
    add_common(response);
    enum MHD_Result r = MHD_queue_response(c->connection, status, response);
    MHD_destroy_response(response);
    return r;
}

/* Frees the text, which may be empty. */
static struct MHD_Response *response_of(hub_text *text)
{
    if (text->p == NULL) {
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text->len, text->p, MHD_RESPMEM_MUST_COPY);
    hub_text_free(text);
    return response;
}

static void add_info(struct MHD_Response *response, const hub_blob_info *info)
{
    char time[HUB_TIME_SIZE];
    char *etag = hub_format("\"0x%016" PRIX64 "\"", info->version);

    hub_time_http(info->changed_ms, time);
    add_header(response, MHD_HTTP_HEADER_ETAG, etag);
    add_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, time);
    free(etag);
}

static enum MHD_Result refuse(blob_call *c, unsigned status, const char *code, const char *why)
{
    hub_text body = { 0 };

    hub_text_printf(&body,
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code>"
                    "<Message>%s</Message></Error>",
                    code, why);
    struct MHD_Response *response = response_of(&body);
    if (response != NULL) {
        add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/xml");
        add_header(response, "x-ms-error-code", code);
    }
    return send_response(c, status, response);
}

static enum MHD_Result disk_failed(blob_call *c)
{
    return refuse(c, 500, "InternalError", "the storage cannot be written or read");
}

/* --- the head ---------------------------------------------------------- */

static const char *header(const blob_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

static const char *query(const blob_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, name);
}

static bool is(const char *text, const char *expected)
{
    return text != NULL && strcmp(text, expected) == 0;
}

/* Returns what is wrong with the token, or NULL. */
static const char *check_token(const blob_call *c)
{
    const hub_storage_token token = {
        .sv = query(c, "sv"),
        .se = query(c, "se"),
        .sr = query(c, "sr"),
        .sp = query(c, "sp"),
        .sig = query(c, "sig"),
    };

    return hub_uploads_check_token(&c->hub->uploads, &token, c->blob, hub_now(c->hub));
}

/* Returns false if the storage has no such operation. */
static bool find_operation(blob_call *c)
{
    const char *comp = query(c, "comp");

    if (is(c->method, MHD_HTTP_METHOD_PUT) && comp == NULL) {
        c->operation = HUB_STORAGE_PUT_BLOB;
    } else if (is(c->method, MHD_HTTP_METHOD_PUT) && is(comp, "block")) {
        c->operation = HUB_STORAGE_PUT_BLOCK;
    } else if (is(c->method, MHD_HTTP_METHOD_PUT) && is(comp, "blocklist")) {
        c->operation = HUB_STORAGE_PUT_LIST;
    } else if ((is(c->method, MHD_HTTP_METHOD_GET) && (comp == NULL || is(comp, "blocklist"))) ||
               (is(c->method, MHD_HTTP_METHOD_HEAD) && comp == NULL)) {
        c->operation = HUB_STORAGE_READ;
    } else {
        return false;
    }
    return true;
}

/* Checks what decides about a body before it is read. Returns false after an answer. */
static bool check_body(blob_call *c, enum MHD_Result *r)
{
    const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);

    if (length == NULL) {
        *r = refuse(c, 411, "MissingContentLengthHeader", "Content-Length is missing");
        return false;
    }
    if (strtoull(length, NULL, 10) > BODY_MAX) {
        *r = refuse(c, 413, "RequestBodyTooLarge", "the body is larger than 5 GiB");
        return false;
    }
    if (c->operation == HUB_STORAGE_PUT_BLOB && !is(header(c, "x-ms-blob-type"), BLOCK_BLOB)) {
        *r = refuse(c, 400, "InvalidHeaderValue", "x-ms-blob-type is not " BLOCK_BLOB);
        return false;
    }
    if (c->operation == HUB_STORAGE_PUT_BLOCK) {
        const char *id = query(c, "blockid");
        if (id == NULL || !hub_block_id_read(&c->block, id) ||
            !hub_uploads_block_id_fits(&c->hub->uploads, c->blob, c->block.len)) {
            *r = refuse(c, 400, "InvalidQueryParameterValue",
                        "blockid is not 1 to 64 bytes in base64, as long as the others");
            return false;
        }
    }
    return true;
}

/* Returns false after an answer. */
static bool check_head(blob_call *c, enum MHD_Result *r)
{
    const char *why;

    if (header(c, MHD_HTTP_HEADER_AUTHORIZATION) != NULL) {
        *r = refuse(c, 400, "InvalidAuthenticationInfo",
                    "the Authorization header of the hub is not for the storage");
        return false;
    }
    if (c->blob == NULL || *c->blob == '\0') {
        *r = refuse(c, 400, "InvalidUri", "the path is not readable");
        return false;
    }
    why = check_token(c);
    if (why != NULL) {
        *r = refuse(c, 403, "AuthenticationFailed", why);
        return false;
    }
    if (!find_operation(c)) {
        *r = refuse(c, 405, "UnsupportedHttpVerb", "the storage does not have this operation");
        return false;
    }
    return true;
}

/* Closes the connection, or stops to read it, if that is the fault. A read changes nothing, so
 * there is no difference between losing its answer and closing the connection. */
static bool stop_early(blob_call *c, enum MHD_Result *r)
{
    const bool close = c->fault == HUB_STORAGE_FAULT_CLOSE ||
                       (c->fault == HUB_STORAGE_FAULT_LOSE && c->operation == HUB_STORAGE_READ);

    *r = close ? MHD_NO : MHD_YES;
    if (c->fault == HUB_STORAGE_FAULT_STALL) {
        c->stage = BLOB_STALLED;
    }
    return close || c->fault == HUB_STORAGE_FAULT_STALL;
}

/* Causes the fault if enough bytes of the body were read. */
static enum MHD_Result stop_after(blob_call *c, uint64_t len)
{
    enum MHD_Result r = MHD_YES;

    if (len >= c->hub->storage_faults.after) {
        (void)stop_early(c, &r);
    }
    return r;
}

bool blob_call_is_stalled(const blob_call *c)
{
    return c->stage == BLOB_STALLED;
}

static bool cause_fault(blob_call *c, enum MHD_Result *r)
{
    hub_storage_faults *faults = &c->hub->storage_faults;

    c->fault = hub_storage_faults_next(faults, c->operation);
    if (c->fault == HUB_STORAGE_FAULT_STATUS) {
        *r = refuse(c, faults->status, "ServerBusy", "on request");
        return true;
    }
    return faults->after == 0 && stop_early(c, r);
}

enum MHD_Result blob_call_begin(blob_call *c)
{
    enum MHD_Result r = MHD_YES;
    hub_fault fault;

    c->stage = BLOB_BODY;
    if (!check_head(c, &r) || cause_fault(c, &r) || c->operation == HUB_STORAGE_READ ||
        !check_body(c, &r) || c->operation == HUB_STORAGE_PUT_LIST) {
        return r;
    }
    return hub_blob_writer_open(&c->writer, &c->hub->registry.store, &fault) == HUB_OK
               ? MHD_YES
               : disk_failed(c);
}

/* --- the body ---------------------------------------------------------- */

enum MHD_Result blob_call_body(blob_call *c, const char *data, size_t *size)
{
    const size_t len = *size;

    *size = 0;
    if (c->stage != BLOB_BODY || c->operation == HUB_STORAGE_READ) {
        return MHD_YES;
    }
    if (c->operation == HUB_STORAGE_PUT_LIST) {
        hub_text_add(&c->list, data, len);
        return c->list.len <= LIST_MAX ? stop_after(c, c->list.len) : MHD_NO;
    }
    hub_blob_writer_add(&c->writer, data, len);
    return stop_after(c, c->writer.len);
}

/* --- the end ----------------------------------------------------------- */

/* A block that was put changes no blob. */
static void add_info_of_blob(const blob_call *c, struct MHD_Response *response)
{
    hub_blob_info info;

    if (c->operation != HUB_STORAGE_PUT_BLOCK &&
        hub_blob_look(&c->hub->registry.store, c->blob, &info)) {
        add_info(response, &info);
    }
}

static enum MHD_Result created(blob_call *c)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (c->fault == HUB_STORAGE_FAULT_LOSE) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    if (response != NULL) {
        add_header(response, "x-ms-request-server-encrypted", "false");
        add_info_of_blob(c, response);
    }
    return send_response(c, MHD_HTTP_CREATED, response);
}

static enum MHD_Result end_writer(blob_call *c)
{
    hub_fault fault;
    hub_result r = c->operation == HUB_STORAGE_PUT_BLOB
                       ? hub_blob_writer_end_blob(&c->writer, c->blob, &fault)
                       : hub_blob_writer_end_block(&c->writer, c->blob, &c->block, &fault);

    return r == HUB_OK ? created(c) : disk_failed(c);
}

static enum MHD_Result end_list(blob_call *c)
{
    hub_block_list list;
    hub_fault fault;

    if (strlen(c->list.p) != c->list.len || !hub_block_list_read(&list, c->list.p)) {
        return refuse(c, 400, "InvalidXmlDocument", "the body is not a block list");
    }
    hub_result r = hub_blob_make(&c->hub->registry.store, c->blob, &list, &fault);
    hub_block_list_free(&list);
    if (r == HUB_ERR_ARGUMENT) {
        return refuse(c, 400, "InvalidBlockList", fault.text);
    }
    return r == HUB_OK ? created(c) : disk_failed(c);
}

static bool read_list_type(const char *text, hub_blob_blocks *which)
{
    *which = HUB_BLOB_COMMITTED;
    if (is(text, "uncommitted")) {
        *which = HUB_BLOB_UNCOMMITTED;
    } else if (is(text, "all")) {
        *which = HUB_BLOB_ALL;
    } else {
        return text == NULL || is(text, "committed");
    }
    return true;
}

static enum MHD_Result send_list(blob_call *c)
{
    hub_text xml = { 0 };
    hub_blob_blocks which;

    if (!read_list_type(query(c, "blocklisttype"), &which)) {
        return refuse(c, 400, "InvalidQueryParameterValue",
                      "blocklisttype is not committed, uncommitted or all");
    }
    hub_blob_list_blocks(&c->hub->registry.store, c->blob, which, &xml);
    struct MHD_Response *response = response_of(&xml);
    if (response != NULL) {
        add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/xml");
    }
    return send_response(c, MHD_HTTP_OK, response);
}

/* Returns false if no byte of the blob is in the range. */
static bool read_range(const blob_call *c, uint64_t size, hub_blob_range *out)
{
    const char *text = header(c, "x-ms-range");

    return hub_blob_range_read(text != NULL ? text : header(c, MHD_HTTP_HEADER_RANGE), size, out);
}

static enum MHD_Result send_blob(blob_call *c)
{
    hub_blob_info info = { 0 };
    hub_blob_range part;
    int fd = hub_blob_open(&c->hub->registry.store, c->blob, &info);

    if (fd < 0) {
        return refuse(c, 404, "BlobNotFound", "there is no such blob");
    }
    if (!read_range(c, info.size, &part)) {
        (void)close(fd);
        return refuse(c, 416, "InvalidRange", "no byte of the blob is in the range");
    }
    const uint64_t len = info.size > 0 ? part.last - part.first + 1 : 0;
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(len, fd, part.first);
    if (response == NULL) {
        (void)close(fd);
        return MHD_NO;
    }
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    add_header(response, "x-ms-blob-type", BLOCK_BLOB);
    add_info(response, &info);
    if (part.given) {
        char *text =
            hub_format("bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part.first, part.last, info.size);
        add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
        free(text);
    }
    return send_response(c, part.given ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
}

enum MHD_Result blob_call_end(blob_call *c)
{
    enum MHD_Result r;

    if (c->stage != BLOB_BODY) {
        return MHD_YES;
    }
    if (stop_early(c, &r)) { /* the body is shorter than the fault wants it */
        return r;
    }
    switch (c->operation) {
    case HUB_STORAGE_PUT_BLOB:
    case HUB_STORAGE_PUT_BLOCK: return end_writer(c);
    case HUB_STORAGE_PUT_LIST: return end_list(c);
    case HUB_STORAGE_READ: break;
    }
    return query(c, "comp") != NULL ? send_list(c) : send_blob(c);
}
