#include "text/json_fault.h"

#include "text/json_path.h"
#include "text/text_writer.h"

/* The index is an iothub_json_kind. */
static const char kind_names[][10] = {
    "", "an object", "an array", "a string", "a number", "a boolean", "a boolean", "null",
};

/* Writes the error of a text that is wrong at byte `at`, or ends there. */
static iothub_result fail_at(const char *what, const char *wanted, mqc_span json, size_t at,
                             iothub_error *error)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t byte = at < json.len ? json.ptr[at] : 0;
    const bool printable = byte > 0x20 && byte < 0x7F;
    const char digits[] = { '0', 'x', hex[byte >> 4], hex[byte & 15u], '\0' };
    const char quoted[] = { '\'', (char)byte, '\'', '\0' };
    const char *found = "there is the byte ";
    const char *more = digits;

    if (at == json.len) {
        found = "the text ends";
        more = "";
    } else if (byte == 0) {
        found = "there is a NUL";
        more = at + 1 == json.len ? ": len must not count the NUL at the end" : "";
    } else if (printable) {
        found = "there is ";
        more = quoted;
    }
    return iothub_fail(error, IOTHUB_ERR_JSON, "%s: not %s: at byte %zu of %zu %s%s", what, wanted,
                       at, json.len, found, more);
}

iothub_result iothub_json_judge(mqc_span json, bool object, const char *what, iothub_error *error)
{
    const char *wanted = object ? "a JSON object" : "JSON";
    iothub_json_kind kind = iothub_json_kind_of(json);
    bool other = object && kind != IOTHUB_JSON_OBJECT && kind != IOTHUB_JSON_NONE;
    size_t good;

    if (iothub_json_check(json, &good) == IOTHUB_OK && !other) {
        return IOTHUB_OK;
    }
    if (json.len == 0) {
        return iothub_fail(error, IOTHUB_ERR_JSON, "%s: not %s: it is empty", what, wanted);
    }
    if (other) {
        return iothub_fail(error, IOTHUB_ERR_JSON,
                           "%s: not %s: %s begins at byte 0, where {...} is expected", what, wanted,
                           kind_names[kind]);
    }
    return fail_at(what, wanted, json, good, error);
}
