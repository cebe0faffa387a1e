/* JSON look-up: what is found in a good text is good itself, and it stays inside. */

#include "fuzz.h"
#include "text/json_path.h"

static void find(mqc_span text, const char *const *keys, size_t count, bool good)
{
    mqc_span value;
    uint64_t n;

    if (!iothub_json_find(text, keys, count, &value)) {
        FUZZ_CHECK(!good || count > 0);
        return;
    }
    FUZZ_CHECK(value.ptr >= text.ptr && value.ptr + value.len <= text.ptr + text.len);
    FUZZ_CHECK(!good || iothub_json_check(value, NULL) == IOTHUB_OK);
    FUZZ_CHECK(!good || iothub_json_kind_of(value) != IOTHUB_JSON_NONE);
    if (iothub_json_u64(value, &n)) {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
        FUZZ_CHECK(mqc_span_eq(value, mqc_span_str(digits)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = { "desired", "$version", "a\"b" };
    const mqc_span text = mqc_span_of(data, size);
    const bool good = iothub_json_check(text, NULL) == IOTHUB_OK;

    for (size_t first = 0; first < 3; first++) {
        for (size_t count = 0; first + count <= 3; count++) {
            find(text, keys + first, count, good);
        }
    }
    FUZZ_CHECK(!good || iothub_json_kind_of(text) != IOTHUB_JSON_NONE);
    return 0;
}
