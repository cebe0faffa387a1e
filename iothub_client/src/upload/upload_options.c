#include "upload/upload_options.h"

#include <stdlib.h>
#include <string.h>

#include "context/options_check.h"
#include "text/sized_struct.h"
#include "text/wipe.h"
#include "upload/upload_credential.h"
#include "upload/upload_wire.h"

enum { HTTPS_PORT = 443 };

void iothub_upload_options_init_sized(iothub_upload_options *o, size_t struct_size)
{
    enum { BLOCK = 4 * 1024 * 1024, PARALLEL = 3, SECOND = 1000, GIVE_UP = 600 * 1000 };
    const iothub_upload_options defaults = {
        .struct_size = struct_size,
        .port = HTTPS_PORT,
        .block_size = BLOCK,
        .parallel = PARALLEL,
        .request_timeout_ms = 60 * SECOND,
        .give_up_ms = GIVE_UP,
        .retry_min_ms = SECOND,
        .retry_max_ms = 60 * SECOND,
    };

    if (o != NULL) {
        iothub_struct_out(o, struct_size, &defaults, sizeof defaults);
    }
}

static bool is_printable(const char *text, size_t most)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++) {
        if (len == most || text[len] < ' ' || text[len] > '~') {
            return false;
        }
    }
    return true;
}

static const char *find_fault(const iothub_upload_options *o)
{
    if (o->platform == NULL) {
        return "platform is missing";
    }
    if (o->data != NULL && o->reader != NULL) {
        return "data and reader: only one of them is allowed";
    }
    if (o->data == NULL && o->data_len > 0) {
        return "data_len is set, but data is NULL";
    }
    if (o->block_size < IOTHUB_UPLOAD_BLOCK_MIN || o->block_size > IOTHUB_UPLOAD_BLOCK_MAX) {
        return "block_size is not 1024 to 4194304";
    }
    if (o->parallel < 1 || o->parallel > IOTHUB_UPLOAD_PARALLEL_MAX) {
        return "parallel is not 1 to 8";
    }
    if (o->port == 0 || o->request_timeout_ms == 0 || o->retry_min_ms == 0 ||
        o->retry_max_ms < o->retry_min_ms) {
        return "port, request_timeout_ms or retry_min_ms is 0, or retry_max_ms is smaller than "
               "retry_min_ms";
    }
    if ((o->state != NULL) != (o->state_key != NULL)) {
        return "state and state_key: both are needed, or none";
    }
    if (o->content_type != NULL && !is_printable(o->content_type, UPLOAD_CONTENT_TYPE_MAX)) {
        return "content_type is longer than 128 bytes, or not printable ASCII";
    }
    if (o->tag != NULL && !is_printable(o->tag, IOTHUB_UPLOAD_TAG_MAX)) {
        return "tag is longer than 128 bytes, or not printable ASCII";
    }
    return upload_name_fault(o->blob_name);
}

/* --- trust ------------------------------------------------------------------------------------ */

/* A DER certificate begins with a SEQUENCE whose length is over 127 bytes. */
static bool is_der(const iothub_tls *tls)
{
    const uint8_t *bytes = tls->ca_data;

    return tls->ca_len >= 2 && bytes[0] == 0x30 && (bytes[1] & 0x80) != 0;
}

static const char *find_unsupported(const iothub_upload_options *o)
{
    if (o->tls == NULL) {
        return NULL;
    }
    if (o->tls->roots != 0) {
        return "tls: roots cannot be used by libcurl; without ca_data and ca_file it trusts the "
               "system's";
    }
    if (o->tls->ca_data != NULL && o->ca_file != NULL) {
        return "tls: libcurl cannot use ca_data and ca_file together";
    }
    return o->tls->ca_data != NULL && is_der(o->tls) ? "tls: ca_data is DER; libcurl needs PEM text"
                                                     : NULL;
}

static iothub_result check_tls(const iothub_upload_options *o, iothub_error *error)
{
    const char *fault = options_tls_fault(o->tls);

    if (fault != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "upload: %s", fault);
    }
    fault = find_unsupported(o);
    return fault != NULL ? iothub_fail(error, IOTHUB_ERR_UNSUPPORTED, "upload: %s", fault)
                         : IOTHUB_OK;
}

iothub_result upload_options_check(const iothub_upload_options *o, iothub_error *error)
{
    iothub_connection_string device;
    const char *fault = find_fault(o);

    if (fault != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "upload: %s", fault);
    }
    const iothub_result r = check_tls(o, error);
    return r == IOTHUB_OK ? upload_credential_read(o, &device, error) : r;
}

/* --- texts ------------------------------------------------------------------------------------ */

static const char *text_or(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

/* Copies a text to *at. Returns the copy. */
static const char *copy_text(char **at, const char *text)
{
    char *copy = *at;

    if (text == NULL) {
        return NULL;
    }
    memcpy(copy, text, strlen(text) + 1);
    *at += strlen(text) + 1;
    return copy;
}

static size_t size_of_text(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static char *copy_texts(iothub_upload_options *o, size_t *size_of_all)
{
    o->content_type = text_or(o->content_type, "application/octet-stream");
    o->tag = text_or(o->tag, "");
    const char **const texts[] = {
        &o->connection_string, &o->ca_file,      &o->proxy, &o->bind,
        &o->blob_name,         &o->content_type, &o->tag,   &o->state_key
    };
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size += size_of_text(*texts[i]);
    }
    *size_of_all = size;
    char *block = malloc(size);
    char *at = block;
    for (size_t i = 0; block != NULL && i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = copy_text(&at, *texts[i]);
    }
    return block;
}

bool upload_options_copy(iothub_upload_options *o, upload_options_memory *memory)
{
    if (o->credential != NULL) {
        memory->credential = *o->credential;
        o->credential = &memory->credential;
    }
    if (o->tls != NULL) {
        memory->tls = *o->tls;
        o->tls = &memory->tls;
    }
    memory->texts = copy_texts(o, &memory->texts_size);
    return memory->texts != NULL;
}

void upload_options_free(upload_options_memory *memory)
{
    if (memory->texts != NULL) {
        iothub_wipe(memory->texts, memory->texts_size);
    }
    free(memory->texts);
}
