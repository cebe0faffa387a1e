/* Tests how answers of the hub to a certificate request are read, and what the client does then.
 * The first three characters are the status, the rest is the body. */

#include "certificate/issuance.h"
#include "fuzz.h"
#include "platform/platform.h"

static int status_of(const uint8_t *data)
{
    int status = 0;

    for (size_t i = 0; i < 3; i++) {
        status = status * 10 + data[i] % 10;
    }
    return status;
}

static void check_answer(const issue_answer *a, mqc_span body)
{
    FUZZ_CHECK(a->verdict >= ISSUE_ISSUED && a->verdict <= ISSUE_BROKEN);
    FUZZ_CHECK(memchr(a->active_id, '\0', sizeof a->active_id) != NULL);
    for (const char *at = a->active_id; *at != '\0'; at++) {
        FUZZ_CHECK(*at >= ' ' && *at <= '~' && *at != '"' && *at != '\\');
    }
    FUZZ_CHECK(a->expires_s >= 0 && a->retry_after_s <= 86400);
    if (a->verdict == ISSUE_ISSUED) {
        FUZZ_CHECK(a->certificates.len > 0 && a->certificates.ptr >= body.ptr &&
                   a->certificates.ptr + a->certificates.len <= body.ptr + body.len);
    } else if (a->verdict != ISSUE_ACCEPTED) {
        FUZZ_CHECK(a->why.code != IOTHUB_OK &&
                   memchr(a->why.text, '\0', sizeof a->why.text) != NULL);
    }
}

/* A request is not repeated without a pause more than twice in a row. */
static void check_issuance(const issue_answer *a, int status)
{
    static const uint8_t random[ISSUANCE_ID_LEN / 2] = { 1, 2, 3 };
    iothub_options o;
    issuance i;
    mqc_time now = 1000;
    unsigned at_once = 0;

    iothub_options_init(&o);
    o.platform = plat_posix();
    issuance_init(&i);
    issuance_want(&i, now);
    for (unsigned round = 0; round < 8; round++) {
        const issuance_step step = issuance_turn(&i, true, 1, now);
        if (step == ISSUANCE_BEGINS) {
            issuance_begin(&i, random);
        }
        if (step != ISSUANCE_WAITS) {
            issuance_sent(&i, &o, 1, now);
            if (issuance_on_answer(&i, &o, status, a, 1700000000, now)) {
                issuance_issued(&i);
            }
        }
        FUZZ_CHECK(issuance_valid(&i));
        at_once = issuance_turn(&i, true, 1, now) != ISSUANCE_WAITS ? at_once + 1 : 0;
        FUZZ_CHECK(at_once <= 2);
        if (at_once == 0) {
            const mqc_time due = issuance_deadline(&i, true);
            now = due != IOTHUB_NEVER ? due : now + 1;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    issue_answer a;
    issue_answer again;

    if (size < 3) {
        return 0;
    }
    const int status = status_of(data);
    const mqc_span body = mqc_span_of(data + 3, size - 3);
    memset(&a, 0x55, sizeof a);
    memset(&again, 0xAA, sizeof again);
    issue_answer_parse(&a, status, body);
    issue_answer_parse(&again, status, body);
    FUZZ_CHECK(a.verdict == again.verdict && strcmp(a.active_id, again.active_id) == 0);
    check_answer(&a, body);
    check_issuance(&a, status);
    return 0;
}
