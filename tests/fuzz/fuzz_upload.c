/* Tests how an upload reads the hub's answer, and the state that an earlier run has saved. */

#include "fake_kv.h"
#include "fuzz.h"
#include "upload/upload_saved.h"

static void check_place(mqc_span json)
{
    char url[UPLOAD_URL_SIZE];
    upload_place place;
    iothub_text t;

    if (!upload_place_parse(json, &place)) {
        return;
    }
    FUZZ_CHECK(upload_place_valid(&place));
    FUZZ_CHECK(strlen(place.correlation_id) <= UPLOAD_CORRELATION_MAX);
    iothub_text_init(&t, url, sizeof url);
    upload_put_blob_url(&t, &place);
    FUZZ_CHECK(iothub_text_finish(&t) == IOTHUB_OK);
    FUZZ_CHECK(strncmp(url, "https://", 8) == 0);
    for (const char *at = url; *at != '\0'; at++) {
        FUZZ_CHECK(*at > ' ' && *at <= '~');
    }
}

/* A state that was read is written again as the same state. */
static void check_saved(const uint8_t *data, size_t size)
{
    static upload_saved first;
    static upload_saved second;
    fake_kv kv;

    fake_kv_init(&kv);
    if (kv.base.ops->put(&kv.base, "u", data, size) != PLAT_OK ||
        upload_saved_get(&kv.base, "u", &first) != PLAT_OK) {
        return;
    }
    if (upload_saved_put(&kv.base, "u", &first, true) == PLAT_OK) {
        FUZZ_CHECK(upload_saved_get(&kv.base, "u", &second) == PLAT_OK);
        FUZZ_CHECK(strcmp(first.source, second.source) == 0);
        FUZZ_CHECK(first.outcome == second.outcome && first.status == second.status);
        FUZZ_CHECK(first.blocks.arrived == second.blocks.arrived);
        FUZZ_CHECK(strcmp(first.place.blob, second.place.blob) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_place(mqc_span_of(data, size));
    if (size <= FAKE_KV_SIZE) {
        check_saved(data, size);
    }
    return 0;
}
