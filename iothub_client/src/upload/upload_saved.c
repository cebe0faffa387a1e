#include "upload/upload_saved.h"

#include <stdlib.h>
#include <string.h>

#include "context/result_map.h"
#include "iothub/json.h"
#include "iothub/json_writer.h"
#include "text/wipe.h"

/* The token that is stored in the place of a secret one. */
static const char no_token[] = "?";

enum { SAVED_SIZE = 48 * 1024, RANGES_SIZE = 16 * 1024 };

bool upload_saved_has_token(const upload_saved *s)
{
    return strcmp(s->place.token, no_token) != 0;
}

void upload_saved_set_source(upload_saved *s, const char *source, uint32_t series)
{
    memcpy(s->source, source, strlen(source) + 1); /* both have UPLOAD_SOURCE_SIZE bytes */
    s->series = series;
    upload_blocks_clear(&s->blocks);
}

void upload_saved_clear_blocks(upload_saved *s)
{
    upload_blocks_clear(&s->blocks);
}

bool upload_saved_set_place(upload_saved *s, const upload_place *place)
{
    const bool same = strcmp(s->place.host, place->host) == 0 &&
                      strcmp(s->place.container, place->container) == 0 &&
                      strcmp(s->place.blob, place->blob) == 0;

    s->place = *place;
    s->outcome = UPLOAD_OPEN;
    if (!same) {
        upload_blocks_clear(&s->blocks);
    }
    return same;
}

void upload_saved_clear_place_id(upload_saved *s)
{
    upload_place_forget(&s->place);
}

void upload_saved_add_block(upload_saved *s, uint32_t number)
{
    upload_blocks_add(&s->blocks, number);
}

void upload_saved_clear_place(upload_saved *s)
{
    iothub_wipe(&s->place, sizeof s->place);
}

void upload_saved_set_outcome(upload_saved *s, upload_outcome outcome, int status)
{
    s->outcome = outcome;
    s->status = status;
}

/* --- writing ---------------------------------------------------------------------------------- */

static iothub_result put(const upload_saved *s, bool keep_token, char *ranges, char *buf,
                         size_t *len)
{
    const upload_place *p = &s->place;
    iothub_json_writer w;
    iothub_text t;

    iothub_text_init(&t, ranges, RANGES_SIZE);
    upload_blocks_put(&s->blocks, &t);
    iothub_json_writer_init(&w, buf, SAVED_SIZE);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_string(&w, "source", s->source);
    iothub_json_put_string(&w, "correlationId", p->correlation_id);
    iothub_json_put_string(&w, "hostName", p->host);
    iothub_json_put_string(&w, "containerName", p->container);
    iothub_json_put_string(&w, "blobName", p->blob);
    iothub_json_put_string(&w, "sasToken", keep_token ? p->token : no_token);
    iothub_json_put_int(&w, "outcome", (int64_t)s->outcome);
    iothub_json_put_int(&w, "status", s->status);
    iothub_json_put_uint(&w, "series", s->series);
    iothub_json_put_text(&w, "blocks", iothub_text_span(&t));
    iothub_json_put_end(&w);
    *len = w.len;
    return iothub_json_writer_finish(&w);
}

plat_result upload_saved_put(plat_kv *kv, const char *key, const upload_saved *s, bool keep_token)
{
    size_t len;
    plat_result r = PLAT_ERR_ARG;
    char *memory = malloc(SAVED_SIZE + RANGES_SIZE);

    if (memory == NULL) {
        return PLAT_ERR_MEMORY;
    }
    if (put(s, keep_token, memory + SAVED_SIZE, memory, &len) == IOTHUB_OK) {
        r = kv->ops->put(kv, key, memory, len);
    }
    iothub_wipe(memory, SAVED_SIZE);
    free(memory);
    return r;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool take_number(const iothub_json_reader *r, int64_t least, int64_t most, int64_t *out)
{
    return iothub_json_get_int(r->value, out) == IOTHUB_OK && *out >= least && *out <= most;
}

static bool take_ranges(const iothub_json_reader *r, upload_saved *out)
{
    char ranges[RANGES_SIZE];
    size_t len;

    return iothub_json_get_string(r->value, ranges, sizeof ranges, &len) == IOTHUB_OK &&
           upload_blocks_parse(&out->blocks, mqc_span_of(ranges, len));
}

static bool take_member(const iothub_json_reader *r, upload_saved *out)
{
    int64_t number;
    size_t len;

    if (iothub_json_equals(r->name, "source")) {
        return iothub_json_get_string(r->value, out->source, sizeof out->source, &len) == IOTHUB_OK;
    }
    if (iothub_json_equals(r->name, "outcome")) {
        const bool good = take_number(r, UPLOAD_OPEN, UPLOAD_FAILED, &number);
        out->outcome = good ? (upload_outcome)number : UPLOAD_OPEN;
        return good;
    }
    if (iothub_json_equals(r->name, "status")) {
        const bool good = take_number(r, 0, 999, &number);
        out->status = good ? (int)number : 0;
        return good;
    }
    if (iothub_json_equals(r->name, "series")) {
        const bool good = take_number(r, 0, UINT32_MAX, &number);
        out->series = good ? (uint32_t)number : 0;
        return good;
    }
    return !iothub_json_equals(r->name, "blocks") || take_ranges(r, out);
}

static bool parse(mqc_span json, upload_saved *out)
{
    iothub_json_reader r;
    bool good = upload_place_parse(json, &out->place);

    iothub_json_reader_init(&r, json);
    while (good && iothub_json_next(&r)) {
        if (r.depth == 1 && r.kind != IOTHUB_JSON_END) {
            good = take_member(&r, out);
            (void)iothub_json_skip(&r);
        }
    }
    return good && out->source[0] != '\0';
}

plat_result upload_saved_get(plat_kv *kv, const char *key, upload_saved *out)
{
    size_t len = 0;
    char *text = malloc(SAVED_SIZE);

    memset(out, 0, sizeof *out);
    if (text == NULL) {
        return PLAT_ERR_MEMORY;
    }
    plat_result r = kv->ops->get(kv, key, text, SAVED_SIZE, &len);
    if (r == PLAT_OK && !parse(mqc_span_of(text, len), out)) {
        r = PLAT_EOF;
    }
    if (r != PLAT_OK) {
        memset(out, 0, sizeof *out);
    }
    iothub_wipe(text, SAVED_SIZE);
    free(text);
    return r == PLAT_ERR_NO_SPACE ? PLAT_EOF : r;
}

iothub_result upload_saved_load(plat_kv *kv, const char *key, upload_saved *out, bool *found,
                                iothub_error *error)
{
    const plat_result r = kv != NULL ? upload_saved_get(kv, key, out) : PLAT_EOF;

    *found = r == PLAT_OK;
    if (r == PLAT_OK || r == PLAT_EOF) {
        return IOTHUB_OK;
    }
    return iothub_fail(error, iothub_from_plat(r), "upload: the state cannot be read: %s",
                       r == PLAT_ERR_MEMORY ? "no memory is left" : kv->ops->detail(kv));
}
