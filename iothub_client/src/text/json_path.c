#include "text/json_path.h"

#include "text/decimal.h"

iothub_result iothub_json_check(mqc_span text, size_t *good)
{
    iothub_json_reader r;

    iothub_json_reader_init(&r, text);
    while (iothub_json_next(&r)) {
        /* the loop only has to reach the end */
    }
    if (good != NULL) {
        *good = r.offset;
    }
    return r.result;
}

/* Moves from the start of an object to the member with this name. */
static bool enter_member(iothub_json_reader *r, const char *key)
{
    if (r->kind != IOTHUB_JSON_OBJECT) {
        return false;
    }
    while (iothub_json_next(r) && r->kind != IOTHUB_JSON_END) {
        if (iothub_json_equals(r->name, key)) {
            return true;
        }
        if (!iothub_json_skip(r)) {
            return false;
        }
    }
    return false;
}

bool iothub_json_find(mqc_span text, const char *const *keys, size_t count, mqc_span *value)
{
    iothub_json_reader r;

    iothub_json_reader_init(&r, text);
    if (!iothub_json_next(&r)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!enter_member(&r, keys[i])) {
            return false;
        }
    }
    if (!iothub_json_skip(&r)) {
        return false;
    }
    *value = r.value;
    return true;
}

bool iothub_json_u64(mqc_span value, uint64_t *out)
{
    return iothub_decimal_parse(value, out) == IOTHUB_DECIMAL_OK;
}
