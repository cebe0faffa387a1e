/* Tests what the hub writes into topics: topic names, property bags, percent-encoding. */

#include "fuzz.h"
#include "hub/property_bag.h"
#include "hub/topics.h"
#include "text/percent.h"

static void bag(mqc_span text)
{
    mqc_span rest = text;
    iothub_bag_pair pair;
    size_t pairs = 0;
    char name[256];
    size_t len;
    const bool good = iothub_bag_check(text) == IOTHUB_OK;

    while (iothub_bag_next(&rest, &pair)) {
        FUZZ_CHECK(++pairs <= text.len + 1);
        FUZZ_CHECK(pair.has_value || pair.value.len == 0);
        FUZZ_CHECK(!good || (pair.name.len > 0 && iothub_percent_valid(pair.value)));
        iothub_result r = iothub_percent_decode(pair.name, name, sizeof name, &len);
        if (r == IOTHUB_OK) {
            iothub_bag_pair found;
            FUZZ_CHECK(iothub_percent_eq(pair.name, mqc_span_of(name, len)));
            FUZZ_CHECK(!good || iothub_bag_find(text, mqc_span_of(name, len), &found));
        } else {
            FUZZ_CHECK(!good || r == IOTHUB_ERR_NO_SPACE);
        }
        uint64_t n;
        (void)iothub_bag_u64(&pair, &n);
    }
}

/* What we write must be the same after it was read. */
static void there_and_back(const char *z)
{
    const mqc_span raw = mqc_span_str(z);
    size_t cap = 4 * raw.len + 32; /* sometimes too small for both results */
    char *buf = malloc(cap);
    char *back = malloc(raw.len + 1);
    iothub_text text;
    iothub_bag_writer w;
    iothub_bag_pair pair;
    size_t len;

    FUZZ_CHECK(buf != NULL && back != NULL);
    iothub_text_init(&text, buf, cap);
    iothub_bag_begin(&w, &text);
    (void)iothub_bag_put(&w, "n", z);
    (void)iothub_bag_put_system(&w, "mid", z);
    FUZZ_CHECK(w.counted == 1 + 2 * raw.len);
    const bool fits = iothub_text_finish(&text) == IOTHUB_OK;
    if (fits) {
        const mqc_span written = iothub_text_span(&text);
        FUZZ_CHECK(iothub_bag_check(written) == IOTHUB_OK);
        FUZZ_CHECK(iothub_bag_find(written, mqc_span_str("$.mid"), &pair));
        FUZZ_CHECK(iothub_percent_eq(pair.value, raw));
        FUZZ_CHECK(iothub_percent_decode(pair.value, back, raw.len, &len) == IOTHUB_OK);
        FUZZ_CHECK(mqc_span_eq(mqc_span_of(back, len), raw));
    }
    free(back);
    free(buf);
}

/* Uses the bytes up to the first NUL, or all of them. */
static void text_there_and_back(mqc_span in)
{
    char *z = calloc(1, in.len + 1);

    FUZZ_CHECK(z != NULL);
    if (in.len > 0) {
        memcpy(z, in.ptr, in.len);
    }
    there_and_back(z);
    free(z);
}

static void topic(mqc_span text, const topic_identity *id)
{
    topic_parts p = topic_parse(text, id);
    uint32_t n;

    FUZZ_CHECK(p.kind >= TOPIC_UNKNOWN && p.kind <= TOPIC_CERTIFICATE);
    (void)topic_rid_number(p.rid, &n);
    bag(p.bag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const topic_identity device = { .device = MQC_SPAN_LIT("d") };
    const topic_identity module = { .device = MQC_SPAN_LIT("d"), .module = MQC_SPAN_LIT("m") };
    const mqc_span in = mqc_span_of(data, size);

    topic(in, &device);
    topic(in, &module);
    bag(in);
    text_there_and_back(in);
    return 0;
}
