/* Tests the twin of the emulator. Each line is JSON after 'r' (report), 'u' (update) or 's'
 * (replace). A refusal changes nothing, and a twin is unchanged after it was written and read. */

#include "fuzz.h"
#include "twins/twin.h"

typedef struct shape {
    char *text;
    int64_t version;
    int64_t desired;
    int64_t reported;
} shape;

static shape shape_of(const hub_twin *t)
{
    cJSON *state = hub_twin_to_state(t);
    shape s = { hub_json_print(state), t->version, t->desired.version, t->reported.version };

    cJSON_Delete(state);
    return s;
}

static void check_change(const shape *was, const shape *is, hub_result r)
{
    FUZZ_CHECK(r == HUB_OK || r == HUB_ERR_ARGUMENT || r == HUB_ERR_TOO_LARGE);
    if (r != HUB_OK) {
        FUZZ_CHECK(strcmp(was->text, is->text) == 0);
        return;
    }
    FUZZ_CHECK(is->version >= was->version && is->version <= was->version + 1);
    FUZZ_CHECK(is->desired >= was->desired && is->desired <= was->desired + 1);
    FUZZ_CHECK(is->reported >= was->reported && is->reported <= was->reported + 1);
}

static void check_view(const hub_twin *t)
{
    char *text = hub_twin_device_text(t);
    cJSON *view = hub_json_read(text, strlen(text));
    const cJSON *desired = cJSON_GetObjectItemCaseSensitive(view, "desired");

    FUZZ_CHECK(hub_json_number(desired, "$version", -1) == (double)t->desired.version);
    cJSON_Delete(view);
    free(text);
    view = cJSON_CreateObject();
    hub_twin_add_service_head(t, view);
    hub_twin_add_service_view(t, view);
    cJSON_Delete(view);
}

static void restore(const hub_twin *t)
{
    const shape is = shape_of(t);
    cJSON *state = hub_json_read(is.text, strlen(is.text));
    hub_twin copy;

    FUZZ_CHECK(state != NULL && hub_twin_from_state(&copy, state));
    const shape back = shape_of(&copy);
    FUZZ_CHECK(strcmp(is.text, back.text) == 0);
    hub_twin_free(&copy);
    cJSON_Delete(state);
    free(is.text);
    free(back.text);
}

static void change(hub_twin *t, char how, const cJSON *json, int64_t now_ms)
{
    const shape was = shape_of(t);
    cJSON *notify = NULL;
    hub_twin next;
    hub_fault fault;
    hub_result r;

    if (how == 'r') {
        r = hub_twin_report(t, json, now_ms, &next, &fault);
    } else {
        r = hub_twin_update(t, json, how == 's' ? HUB_TWIN_REPLACE : HUB_TWIN_MERGE, now_ms, &next,
                            &notify, &fault);
    }
    if (r == HUB_OK) {
        hub_twin_adopt(t, &next);
    }
    const shape is = shape_of(t);
    check_change(&was, &is, r);
    FUZZ_CHECK(notify == NULL || is.desired == was.desired + 1);
    FUZZ_CHECK(notify == NULL || hub_json_number(notify, "$version", -1) == (double)is.desired);
    cJSON_Delete(notify);
    free(was.text);
    free(is.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    fuzz_input line;
    hub_twin t;
    int64_t now_ms = INT64_C(1700000000000);

    hub_json_init();
    hub_twin_init(&t, now_ms);
    while (fuzz_line(&in, &line)) {
        const char how = (char)fuzz_byte(&line);
        cJSON *json = hub_json_read(line.ptr, line.len);
        if (json != NULL && (how == 'r' || how == 'u' || how == 's')) {
            change(&t, how, json, ++now_ms);
            check_view(&t);
        }
        cJSON_Delete(json);
    }
    restore(&t);
    hub_twin_free(&t);
    return 0;
}
