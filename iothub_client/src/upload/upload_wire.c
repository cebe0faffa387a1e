#include "upload/upload_wire.h"

#include <string.h>

#include "iothub/connection_string.h"
#include "iothub/json.h"
#include "iothub/json_writer.h"
#include "mqtt_core/topic.h"
#include "text/percent.h"
#include "text/wipe.h"

#define API_VERSION "?api-version=2021-04-12"

/* Characters that a storage token may contain: those that may stand in the query of a URL. */
static const char in_query[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "-._~%&=+/:,;?@!$'()*";
static const char in_host[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]_";
static const char in_container[] = "abcdefghijklmnopqrstuvwxyz0123456789-$";

/* The id of a block: base64 of two numbers of eight digits. All ids of a blob must have the same
 * length. */
enum { DIGITS = 8, ID_SIZE = 2 * DIGITS, ID_LEN = 24 };

static bool consists_of(const char *text, const char *allowed)
{
    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_bad_segment(const char *at, size_t len)
{
    return len == 0 || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.');
}

static bool has_control(const char *name)
{
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name < ' ' || *name == 0x7f || *name == '\\') {
            return true;
        }
    }
    return false;
}

const char *upload_name_fault(const char *name)
{
    if (name == NULL || name[0] == '\0') {
        return "blob_name is missing";
    }
    if (strlen(name) > IOTHUB_UPLOAD_NAME_MAX - IOTHUB_ID_MAX - 1) {
        return "blob_name is too long";
    }
    if (!mqc_utf8_valid(mqc_span_str(name)) || has_control(name)) {
        return "blob_name contains a backslash or a control character, or is not UTF-8";
    }
    for (const char *at = name;; at++) {
        const size_t len = strcspn(at, "/");
        if (is_bad_segment(at, len)) {
            return "blob_name has a segment that is empty, \".\" or \"..\"";
        }
        at += len;
        if (*at == '\0') {
            return NULL;
        }
    }
}

/* --- the answer of the hub -------------------------------------------------------------------- */

typedef struct field {
    const char *name;
    char *to;
    size_t size;
} field;

static bool take_field(const iothub_json_reader *r, const field *fields, size_t count)
{
    size_t len;

    for (size_t i = 0; i < count; i++) {
        if (iothub_json_equals(r->name, fields[i].name)) {
            if (iothub_json_get_string(r->value, fields[i].to, fields[i].size, &len) == IOTHUB_OK &&
                strlen(fields[i].to) == len) {
                return true;
            }
            fields[i].to[0] = '\0';
            return false;
        }
    }
    return true;
}

bool upload_place_valid(const upload_place *p)
{
    return p->correlation_id[0] != '\0' && consists_of(p->host, in_host) &&
           consists_of(p->container, in_container) && p->blob[0] != '\0' &&
           mqc_utf8_valid(mqc_span_str(p->blob)) && p->token[0] == '?' &&
           consists_of(p->token, in_query);
}

/* Forgets all but the correlation id. */
static bool refuse_place(upload_place *out)
{
    char id[sizeof out->correlation_id];

    memcpy(id, out->correlation_id, sizeof id);
    iothub_wipe(out, sizeof *out);
    memcpy(out->correlation_id, id, sizeof id);
    return false;
}

bool upload_place_parse(mqc_span json, upload_place *out)
{
    iothub_json_reader r;
    const field fields[] = {
        { "correlationId", out->correlation_id, sizeof out->correlation_id },
        { "hostName", out->host, sizeof out->host },
        { "containerName", out->container, sizeof out->container },
        { "blobName", out->blob, sizeof out->blob },
        { "sasToken", out->token, sizeof out->token },
    };
    bool good = true;

    memset(out, 0, sizeof *out);
    iothub_json_reader_init(&r, json);
    while (iothub_json_next(&r)) {
        if (r.depth != 1 || r.kind == IOTHUB_JSON_END) {
            continue;
        }
        good = take_field(&r, fields, sizeof fields / sizeof fields[0]) && good;
        (void)iothub_json_skip(&r);
    }
    return (good && r.result == IOTHUB_OK && upload_place_valid(out)) || refuse_place(out);
}

void upload_place_forget(upload_place *p)
{
    iothub_wipe(p->correlation_id, sizeof p->correlation_id);
    iothub_wipe(p->token, sizeof p->token);
}

/* --- URLs ------------------------------------------------------------------------------------- */

void upload_put_hub_url(iothub_text *t, mqc_span host, uint16_t port, mqc_span device_id,
                        const char *what)
{
    iothub_text_put(t, "https://");
    iothub_text_put_span(t, host);
    iothub_text_put_char(t, ':');
    iothub_text_put_u64(t, port);
    iothub_text_put(t, "/devices/");
    iothub_percent_put(t, device_id);
    iothub_text_put_char(t, '/');
    iothub_text_put(t, what);
    iothub_text_put(t, API_VERSION);
}

void upload_put_blob_url(iothub_text *t, const upload_place *p)
{
    iothub_text_put(t, "https://");
    iothub_text_put(t, p->host);
    iothub_text_put_char(t, '/');
    iothub_text_put(t, p->container);
    for (const char *at = p->blob; *at != '\0';) {
        const size_t len = strcspn(at, "/");
        iothub_text_put_char(t, '/');
        iothub_percent_put(t, mqc_span_of(at, len));
        at += len + (at[len] == '/' ? 1 : 0);
    }
    iothub_text_put(t, p->token);
}

static void put_digits(uint8_t *to, uint32_t number, uint32_t base)
{
    for (int i = DIGITS - 1; i >= 0; i--) {
        to[i] = (uint8_t) "0123456789abcdef"[number % base];
        number /= base;
    }
}

/* Writes base64 of the series in hexadecimal digits and the number in decimal ones. */
static void put_id(uint32_t series, uint32_t number, char id[ID_LEN + 1])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[ID_SIZE + 2] = { 0 }; /* filled up to a multiple of three */
    char *to = id;

    put_digits(bytes, series, 16);
    put_digits(bytes + DIGITS, number, 10);
    for (int i = 0; i < ID_SIZE; i += 3) {
        const uint32_t bits = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        *to++ = alphabet[bits >> 18 & 63];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = alphabet[bits >> 6 & 63];
        *to++ = alphabet[bits & 63];
    }
    memcpy(id + ID_LEN - 2, "==", 3); /* the last group has one byte */
}

void upload_put_block(iothub_text *t, uint32_t series, uint32_t number)
{
    char id[ID_LEN + 1];

    put_id(series, number, id);
    iothub_text_put(t, "&comp=block&blockid=");
    iothub_percent_put(t, mqc_span_str(id));
}

void upload_put_block_list(iothub_text *t)
{
    iothub_text_put(t, "&comp=blocklist");
}

/* --- bodies ----------------------------------------------------------------------------------- */

static const char list_head[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>\n";
static const char list_item[] = "<Latest>";
static const char list_item_end[] = "</Latest>\n";
static const char list_end[] = "</BlockList>\n";

size_t upload_list_size(uint32_t count)
{
    return sizeof list_head + sizeof list_end +
           (size_t)count * (sizeof list_item + ID_LEN + sizeof list_item_end);
}

void upload_put_list(iothub_text *t, uint32_t series, uint32_t count)
{
    char id[ID_LEN + 1];

    iothub_text_put(t, list_head);
    for (uint32_t i = 0; i < count; i++) {
        put_id(series, i, id);
        iothub_text_put(t, list_item);
        iothub_text_put(t, id);
        iothub_text_put(t, list_item_end);
    }
    iothub_text_put(t, list_end);
}

iothub_result upload_put_request(char *buf, size_t cap, size_t *len, const char *blob_name)
{
    iothub_json_writer w;

    iothub_json_writer_init(&w, buf, cap);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_string(&w, "blobName", blob_name);
    iothub_json_put_end(&w);
    *len = w.len;
    return iothub_json_writer_finish(&w);
}

iothub_result upload_put_notification(char *buf, size_t cap, size_t *len, const upload_place *p,
                                      bool success, int status, const char *description)
{
    iothub_json_writer w;

    iothub_json_writer_init(&w, buf, cap);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_string(&w, "correlationId", p->correlation_id);
    iothub_json_put_bool(&w, "isSuccess", success);
    iothub_json_put_int(&w, "statusCode", status);
    iothub_json_put_string(&w, "statusDescription", description);
    iothub_json_put_end(&w);
    *len = w.len;
    return iothub_json_writer_finish(&w);
}
