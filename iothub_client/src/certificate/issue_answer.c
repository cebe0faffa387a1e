#include "certificate/issue_answer.h"

#include <string.h>

#include "iothub/json.h"
#include "text/date.h"
#include "text/json_path.h"
#include "text/text_writer.h"

/* Longest wait that a hub may ask for, in seconds: a day. */
enum { RETRY_AFTER_MAX_S = 86400 };

static bool find(mqc_span body, const char *first, const char *second, mqc_span *value)
{
    const char *const keys[] = { first, second };

    return iothub_json_find(body, keys, second != NULL ? 2 : 1, value);
}

static void get_text(mqc_span body, const char *first, const char *second, char *out, size_t cap)
{
    mqc_span value;
    size_t len;

    out[0] = '\0';
    if (find(body, first, second, &value) &&
        (iothub_json_get_string(value, out, cap, &len) != IOTHUB_OK || strlen(out) != len)) {
        out[0] = '\0';
    }
}

static uint64_t get_number(mqc_span body, const char *name)
{
    mqc_span value;
    uint64_t n;

    return find(body, name, NULL, &value) && iothub_json_u64(value, &n) ? n : 0;
}

static int64_t get_date(mqc_span body, const char *first, const char *second)
{
    char text[64];
    int64_t s;

    get_text(body, first, second, text, sizeof text);
    return iothub_date_seconds(text, &s) ? s : 0;
}

static void broken(issue_answer *out, const char *text)
{
    out->verdict = ISSUE_BROKEN;
    (void)iothub_fail(&out->why, IOTHUB_ERR_PROTOCOL, "certificate request: %s", text);
}

static void issued(issue_answer *out, mqc_span body)
{
    if (!find(body, "certificates", NULL, &out->certificates)) {
        broken(out, "the answer of the hub has no certificates");
        return;
    }
    out->verdict = ISSUE_ISSUED;
}

/* What to do, for those codes that a person can do something about. */
static const char *advice(uint64_t code)
{
    switch (code) {
    case 400040: return "; the request itself is at fault: check the kind of the key";
    case 409005: return "; an earlier request of this device is active";
    case 412001: return "; there is no active request to be replaced";
    case 429002:
    case 429003: return "; too many requests, tried again later";
    default: return "";
    }
}

static issue_verdict verdict_of(int status)
{
    switch (status) {
    case 409: return ISSUE_ACTIVE;
    case 412: return ISSUE_NOT_REPLACED;
    case 429: return ISSUE_BUSY;
    default: return status >= 500 ? ISSUE_BUSY : ISSUE_REFUSED;
    }
}

/* The id of an active request becomes a part of the next one, so what JSON would escape is dropped:
 * any request is replaced then. */
static void get_active_id(mqc_span body, issue_answer *out)
{
    get_text(body, "info", "requestId", out->active_id, sizeof out->active_id);
    for (const char *at = out->active_id; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') {
            out->active_id[0] = '\0';
            return;
        }
    }
}

static void refused(issue_answer *out, int status, mqc_span body)
{
    const uint64_t code = get_number(body, "errorCode");
    const uint64_t wait_s = get_number(body, "retryAfter");

    out->verdict = verdict_of(status);
    out->retry_after_s = wait_s < RETRY_AFTER_MAX_S ? (uint32_t)wait_s : RETRY_AFTER_MAX_S;
    get_active_id(body, out);
    out->expires_s = get_date(body, "info", "operationExpires");
    (void)iothub_fail(&out->why, IOTHUB_ERR_REJECTED,
                      "certificate request: the hub has answered with %zu (code %zu)%s",
                      (size_t)status, (size_t)code, advice(code));
}

void issue_answer_parse(issue_answer *out, int status, mqc_span body)
{
    const bool readable = iothub_json_kind_of(body) == IOTHUB_JSON_OBJECT &&
                          iothub_json_check(body, NULL) == IOTHUB_OK;

    memset(out, 0, sizeof *out);
    if (!readable) {
        body = mqc_span_of(NULL, 0);
    }
    if (status == 202) { /* the operation goes on, even if its description is unreadable */
        out->verdict = ISSUE_ACCEPTED;
        out->expires_s = get_date(body, "operationExpires", NULL);
    } else if (status >= 200 && status < 300) {
        issued(out, body);
    } else {
        refused(out, status, body);
    }
}
