#include "text/json_fault.h"

#include "text/json_path.h"
#include "text/text_writer.h"

static const char *name_of(iothub_json_kind kind)
{
    switch (kind) {
    case IOTHUB_JSON_OBJECT: return "an object";
    case IOTHUB_JSON_ARRAY: return "an array";
    case IOTHUB_JSON_STRING: return "a string";
    case IOTHUB_JSON_NUMBER: return "a number";
    case IOTHUB_JSON_TRUE:
    case IOTHUB_JSON_FALSE: return "a boolean";
    case IOTHUB_JSON_NULL: return "null";
    case IOTHUB_JSON_NONE: break;
    }
    return "no JSON";
}

/* What stands at the place of the fault. */
static void put_found(iothub_text *t, mqc_span json, size_t at)
{
    static const char hex[] = "0123456789abcdef";

    if (at == json.len) {
        iothub_text_put(t, "the text ends");
        return;
    }
    uint8_t byte = json.ptr[at];
    if (byte == 0) {
        iothub_text_put(t, at + 1 == json.len
                               ? "there is a NUL: len must not count the NUL at the end"
                               : "there is a NUL");
    } else if (byte > 0x20 && byte < 0x7F) {
        iothub_text_put(t, "there is '");
        iothub_text_put_char(t, (char)byte);
        iothub_text_put_char(t, '\'');
    } else {
        iothub_text_put(t, "there is the byte 0x");
        iothub_text_put_char(t, hex[byte >> 4]);
        iothub_text_put_char(t, hex[byte & 15u]);
    }
}

static iothub_result complain(iothub_text *t, const char *what, iothub_error *error)
{
    const mqc_span parts[] = { mqc_span_str(what), MQC_SPAN_LIT(": "), iothub_text_span(t) };

    return iothub_fail_parts(error, IOTHUB_ERR_JSON, parts, 3);
}

iothub_result iothub_json_judge(mqc_span json, bool object, const char *what, iothub_error *error)
{
    char text[128];
    iothub_text t;
    iothub_json_kind kind = iothub_json_kind_of(json);

    if (iothub_json_check(json) == IOTHUB_OK && (!object || kind == IOTHUB_JSON_OBJECT)) {
        return IOTHUB_OK;
    }
    iothub_text_init(&t, text, sizeof text);
    iothub_text_put(&t, object ? "not a JSON object: " : "not JSON: ");
    if (json.len == 0) {
        iothub_text_put(&t, "it is empty");
    } else if (object && kind != IOTHUB_JSON_OBJECT && kind != IOTHUB_JSON_NONE) {
        iothub_text_put(&t, name_of(kind));
        iothub_text_put(&t, " begins at byte 0, where {...} must stand");
    } else {
        size_t at = iothub_json_good(json);
        iothub_text_put(&t, "at byte ");
        iothub_text_put_u64(&t, at);
        iothub_text_put(&t, " of ");
        iothub_text_put_u64(&t, json.len);
        iothub_text_put_char(&t, ' ');
        put_found(&t, json, at);
    }
    return complain(&t, what, error);
}
