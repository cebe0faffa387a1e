/* Tests texts that strangers may send to the emulator: topics, filters, bags, tokens, JSON. */

#include "base/json.h"
#include "fuzz.h"
#include "messages/bag.h"
#include "messages/topics.h"
#include "registry/token.h"
#include "json/json_text.h"

static void topics(const char *text, const char *module)
{
    hub_topic t = hub_topic_read(text, "d", module);

    (void)hub_topic_filter(text, "d", module);
    if (t.rid != NULL) {
        FUZZ_CHECK(t.rid >= text && t.rid + t.rid_len <= text + strlen(text));
        free(hub_topic_twin_answer(200, &t, 7));
    }
    FUZZ_CHECK(t.kind != HUB_TOPIC_TELEMETRY || t.bag != NULL);
}

static void bag(const char *text)
{
    hub_bag first;
    hub_bag second;
    hub_text wire = { 0 };
    hub_fault fault;

    if (hub_bag_parse(text, strlen(text), &first, &fault) != HUB_OK) {
        FUZZ_CHECK(first.items == NULL && first.count == 0 && fault.text[0] != '\0');
        return;
    }
    hub_bag_format(&first, &wire);
    FUZZ_CHECK(hub_bag_parse(wire.p != NULL ? wire.p : "", wire.len, &second, &fault) == HUB_OK);
    FUZZ_CHECK(first.count == second.count);
    for (size_t i = 0; i < first.count; i++) {
        const hub_bag_item *a = &first.items[i];
        const hub_bag_item *b = &second.items[i];
        FUZZ_CHECK(strcmp(a->name, b->name) == 0 && hub_bag_find(&first, a->name) == a);
        FUZZ_CHECK((a->value == NULL) == (b->value == NULL));
        FUZZ_CHECK(a->value == NULL || strcmp(a->value, b->value) == 0);
    }
    hub_bag_free(&first);
    hub_bag_free(&second);
    hub_text_free(&wire);
}

static void token(const char *text)
{
    hub_token t;
    hub_fault fault;

    if (hub_token_parse(text, &t, &fault) != HUB_OK) {
        return;
    }
    FUZZ_CHECK(t.sr != NULL && t.resource != NULL && t.signature != NULL);
    FUZZ_CHECK(!hub_token_signed_by(&t, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    FUZZ_CHECK(hub_token_covers(&t, t.resource) || t.resource[0] == '\0' ||
               t.resource[strlen(t.resource) - 1] == '/' || strchr(t.resource, '/') == t.resource);
    hub_token_free(&t);
}

static void json(const uint8_t *data, size_t size)
{
    cJSON *first = hub_json_read(data, size);

    if (first == NULL) {
        return;
    }
    char *text = hub_json_print(first);
    cJSON *second = hub_json_read(text, strlen(text));
    FUZZ_CHECK(second != NULL);
    char *again = hub_json_print(second);
    FUZZ_CHECK(strcmp(text, again) == 0);
    cJSON_Delete(first);
    cJSON_Delete(second);
    free(text);
    free(again);
}

/* Returns the text without the white space between values. */
static char *squeezed(json_text text)
{
    hub_text out = { 0 };
    bool in_string = false;

    hub_text_add(&out, "", 0);
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c == '"') {
            in_string = !in_string;
        }
        if (in_string && c == '\\') { /* both characters of an escape are copied */
            hub_text_add(&out, &text.ptr[i++], 2);
        } else if (in_string || strchr(" \t\r\n", c) == NULL) {
            hub_text_add(&out, &text.ptr[i], 1);
        }
    }
    return out.p;
}

static void laid_out(json_text text)
{
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);

    FUZZ_CHECK(f != NULL);
    json_text_print(f, text);
    FUZZ_CHECK(fclose(f) == 0 && hub_json_valid(out, len));
    char *was = squeezed(text);
    char *is = squeezed((json_text){ out, len });
    FUZZ_CHECK(strcmp(was, is) == 0);
    free(was);
    free(is);
    free(out);
}

static void members(json_text text)
{
    const char *at = NULL;
    json_text name;
    json_text value;

    while (json_text_next(text, &at, &name, &value)) {
        FUZZ_CHECK(at <= text.ptr + text.len && name.ptr > text.ptr && value.ptr > name.ptr);
        FUZZ_CHECK(hub_json_valid(name.ptr, name.len) && hub_json_valid(value.ptr, value.len));
    }
}

static void json_as_text(const uint8_t *data, size_t size)
{
    const json_text text = { (const char *)data, size };
    cJSON *tree = hub_json_read(data, size);
    bool valid = hub_json_valid(data, size);

    FUZZ_CHECK(tree == NULL || valid);
    cJSON_Delete(tree);
    if (valid) {
        laid_out(text);
        members(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text((fuzz_input){ data, size });

    hub_json_init();
    topics(text, NULL);
    topics(text, "m");
    bag(text);
    token(text);
    json(data, size);
    json_as_text(data, size);
    free(text);
    return 0;
}
