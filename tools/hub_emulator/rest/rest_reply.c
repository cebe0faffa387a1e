#include "rest/rest_reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void rest_handling_begin(rest_handling *out, void (*finished)(rest_handling *h), void *user)
{
    *out = (rest_handling){ .finished = finished, .user = user };
}

rest_outcome rest_text(rest_handling *out, int status, char *text)
{
    out->reply.status = status;
    out->reply.text = text;
    out->reply.len = strlen(text);
    return REST_REPLY;
}

rest_outcome rest_bytes(rest_handling *out, int status, const void *data, size_t len)
{
    out->reply.status = status;
    out->reply.text = hub_memdup(data, len);
    out->reply.len = len;
    out->reply.type = "application/octet-stream";
    return REST_REPLY;
}

rest_outcome rest_json(rest_handling *out, int status, cJSON *json)
{
    char *text = hub_json_print(json);

    cJSON_Delete(json);
    return rest_text(out, status, text);
}

rest_outcome rest_empty(rest_handling *out, int status)
{
    out->reply.status = status;
    return REST_REPLY;
}

rest_outcome rest_fail(rest_handling *out, hub_result code, const char *text)
{
    cJSON *json = cJSON_CreateObject();
    char *message = hub_format("ErrorCode:%s;%s", hub_result_name(code), text);

    hub_json_add_text(json, "Message", message);
    hub_json_add_text(json, "ExceptionMessage", "");
    free(message);
    out->reply.code = hub_result_name(code);
    return rest_json(out, hub_result_status(code), json);
}

rest_outcome rest_fault(rest_handling *out, const hub_fault *fault)
{
    return rest_fail(out, fault->code, fault->text);
}

void rest_set_status(rest_handling *out, int status)
{
    out->reply.status = status;
}

void rest_set_etag(rest_handling *out, char *etag)
{
    out->reply.etag = etag;
}

void rest_set_code(rest_handling *out, const char *code)
{
    out->reply.code = code;
}

void rest_set_page(rest_handling *out, const char *item_type, char *continuation)
{
    out->reply.item_type = item_type;
    out->reply.continuation = continuation;
}

void rest_set_command_status(rest_handling *out, int status)
{
    out->reply.command_status = hub_format("%d", status);
}

typedef bool (*byte_rule)(unsigned char byte);

/* The characters of a token in RFC 9110. */
static bool may_be_in_name(unsigned char byte)
{
    return byte < 0x80 &&
           (isalnum(byte) || (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL));
}

static bool may_be_in_value(unsigned char byte)
{
    return byte >= ' ' && byte != 0x7F;
}

static char *encode(const char *text, byte_rule allowed)
{
    hub_text out = { 0 };

    hub_text_str(&out, "");
    for (; *text != '\0'; text++) {
        if (allowed((unsigned char)*text)) {
            hub_text_add(&out, text, 1);
        } else {
            hub_text_printf(&out, "%%%02X", (unsigned char)*text);
        }
    }
    return out.p;
}

void rest_add_header(rest_handling *out, const char *name, const char *value)
{
    char *plain_name = encode(name, may_be_in_name);
    char *plain_value = encode(value, may_be_in_value);

    hub_bag_add(&out->reply.headers, plain_name, plain_value);
    free(plain_name);
    free(plain_value);
}

rest_outcome rest_later(rest_handling *out, uint64_t method)
{
    out->method = method;
    return REST_LATER;
}

rest_outcome rest_events(rest_handling *out, const rest_watch *watch)
{
    out->watch = *watch;
    return REST_WATCH;
}

void rest_reply_free(rest_reply *r)
{
    free(r->text);
    free(r->etag);
    free(r->continuation);
    free(r->command_status);
    hub_bag_free(&r->headers);
    *r = (rest_reply){ 0 };
}
