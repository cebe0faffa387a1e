#include "iothub/json.h"
#include "text/json_scan.h"

/* Encodes a code point in UTF-8 (RFC 3629 section 3). Returns the number of bytes. */
static size_t encode(uint32_t code_point, char out[4])
{
    static const uint8_t leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    const size_t len = code_point < 0x80      ? 1
                       : code_point < 0x800   ? 2
                       : code_point < 0x10000 ? 3
                                              : 4;

    for (size_t i = len; i-- > 1; code_point >>= 6) {
        out[i] = (char)(0x80u | (code_point & 0x3Fu));
    }
    out[0] = (char)(leads[len] | code_point);
    return len;
}

/* Finds the length of the text that a JSON string stands for. Returns false if it is not a JSON
 * string. */
static bool text_length(mqc_span string, size_t *len)
{
    iothub_json_scan s = iothub_json_scan_of(string, 0);
    size_t sum = 0;

    if (!iothub_json_scan_take(&s, '"')) {
        return false;
    }
    while (!iothub_json_scan_take(&s, '"')) {
        uint32_t code_point;
        char bytes[4];
        if (!iothub_json_scan_char(&s, &code_point)) {
            return false;
        }
        sum += encode(code_point, bytes);
    }
    *len = sum;
    return s.p == s.end;
}

iothub_result iothub_json_get_string(mqc_span string, char *out, size_t cap, size_t *len)
{
    iothub_json_scan s = iothub_json_scan_of(string, 1); /* behind the quote */
    uint32_t code_point;
    size_t need;

    if (!text_length(string, &need)) {
        return IOTHUB_ERR_JSON;
    }
    if (need >= cap) {
        return IOTHUB_ERR_NO_SPACE;
    }
    for (size_t at = 0; at < need && iothub_json_scan_char(&s, &code_point);) {
        char bytes[4];
        size_t n = encode(code_point, bytes);
        memcpy(out + at, bytes, n);
        at += n;
    }
    out[need] = '\0';
    if (len != NULL) {
        *len = need;
    }
    return IOTHUB_OK;
}
