#include "upload/upload_source.h"

#include <string.h>

#include "text/text_writer.h"

plat_result upload_source_init(upload_source *s, const iothub_upload_options *o)
{
    *s = (upload_source){ .reader = o->reader, .data = o->data, .block_size = o->block_size };
    if (o->reader != NULL) {
        return o->reader->ops->describe(o->reader, &s->about);
    }
    s->about = (plat_reader_info){ .size = o->data != NULL ? o->data_len : 0, .rewinds = true };
    return PLAT_OK;
}

void upload_source_name(const upload_source *s, const iothub_connection_string *device,
                        const iothub_upload_options *o, char *out, size_t cap)
{
    const uint64_t numbers[] = { o->block_size, s->about.size, s->about.version };
    iothub_text t;

    iothub_text_init(&t, out, cap);
    iothub_text_put_span(&t, device->host_name);
    iothub_text_put_char(&t, '/');
    iothub_text_put_span(&t, device->device_id);
    iothub_text_put_char(&t, '/');
    iothub_text_put(&t, o->blob_name);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        iothub_text_put_char(&t, ' ');
        iothub_text_put_u64(&t, numbers[i]);
    }
    iothub_text_put_char(&t, ' ');
    iothub_text_put(&t, o->tag);
    (void)iothub_text_finish(&t);
}

uint32_t upload_source_blocks(const upload_source *s)
{
    if (s->about.size == PLAT_SIZE_UNKNOWN) {
        return UINT32_MAX;
    }
    const uint64_t blocks = s->about.size / s->block_size + (s->about.size % s->block_size != 0);
    if (blocks == 0) {
        return 1; /* an empty blob has one empty block */
    }
    return blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
}

iothub_result upload_source_check(const upload_source *s, iothub_error *error)
{
    const uint64_t size = s->about.size;
    char number[24];
    iothub_text t;

    if (size == PLAT_SIZE_UNKNOWN || upload_source_blocks(s) <= IOTHUB_UPLOAD_BLOCKS_MAX) {
        return IOTHUB_OK;
    }
    iothub_text_init(&t, number, sizeof number);
    iothub_text_put_u64(&t, (size + IOTHUB_UPLOAD_BLOCKS_MAX - 1) / IOTHUB_UPLOAD_BLOCKS_MAX);
    (void)iothub_text_finish(&t);
    return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                       "upload: more than 50000 blocks; block_size must be at least %s", number);
}

size_t upload_source_size_of(const upload_source *s, uint32_t number)
{
    const uint64_t from = (uint64_t)number * s->block_size;

    if (from >= s->about.size) {
        return 0;
    }
    return s->about.size - from < s->block_size ? (size_t)(s->about.size - from) : s->block_size;
}

uint64_t upload_source_count(const upload_source *s, const upload_blocks *blocks)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < IOTHUB_UPLOAD_BLOCKS_MAX && blocks->arrived > 0; i++) {
        if (upload_blocks_have(blocks, i)) {
            bytes += upload_source_size_of(s, i);
        }
    }
    return bytes;
}

/* Ends the source whose size was not known at the number of bytes that were read. */
static void end_at(upload_source *s, uint64_t size)
{
    s->about.size = size;
}

static upload_filled read_block(upload_source *s, uint8_t *buf, size_t want)
{
    while (s->partial < want) {
        const uint64_t offset = (uint64_t)s->next * s->block_size + s->partial;
        size_t got = 0;
        plat_result r =
            s->reader->ops->read(s->reader, offset, buf + s->partial, want - s->partial, &got);
        if (r == PLAT_WOULD_BLOCK) {
            return UPLOAD_WAITS;
        }
        if (r != PLAT_OK || got > want - s->partial) {
            return UPLOAD_BROKEN;
        }
        if (got == 0 && s->about.size != PLAT_SIZE_UNKNOWN) {
            return UPLOAD_BROKEN;
        }
        if (got == 0) {
            end_at(s, offset);
            break;
        }
        s->partial += got;
    }
    return s->partial > 0 || s->next == 0 ? UPLOAD_FILLED : UPLOAD_NO_MORE;
}

upload_filled upload_source_fill(upload_source *s, uint8_t *buf, uint32_t *number, size_t *len)
{
    if (s->next >= upload_source_blocks(s)) {
        return UPLOAD_NO_MORE;
    }
    const size_t want = upload_source_size_of(s, s->next);
    if (s->reader == NULL) {
        if (want > 0) {
            memcpy(buf, s->data + (uint64_t)s->next * s->block_size, want);
        }
        s->partial = want;
    } else {
        const upload_filled filled = read_block(s, buf, want);
        if (filled != UPLOAD_FILLED) {
            return filled;
        }
    }
    *number = s->next++;
    *len = s->partial;
    s->partial = 0;
    return UPLOAD_FILLED;
}

void upload_source_skip(upload_source *s)
{
    s->next++;
}

bool upload_source_rewind(upload_source *s)
{
    if (!s->about.rewinds) {
        return false;
    }
    s->next = 0;
    s->partial = 0;
    return true;
}
