#ifndef IOTHUB_UPLOAD_SOURCE_H
#define IOTHUB_UPLOAD_SOURCE_H

/** @file The bytes to upload, taken block by block. */

#include "iothub/connection_string.h"
#include "iothub/upload.h"
#include "upload/upload_blocks.h"

/** What upload_source_fill has done. */
typedef enum upload_filled {
    UPLOAD_FILLED,  /* the block is complete */
    UPLOAD_WAITS,   /* the reader has no bytes at this moment */
    UPLOAD_NO_MORE, /* there is no further block */
    UPLOAD_BROKEN   /* the source has failed, or is shorter than it was */
} upload_filled;

/** A source. Only upload_source.c writes its members. */
typedef struct upload_source {
    plat_reader *reader; /* NULL: data */
    const uint8_t *data;
    plat_reader_info about; /* its size is PLAT_SIZE_UNKNOWN until the end was read */
    uint32_t block_size;
    uint32_t next;  /* number of the block that is filled next */
    size_t partial; /* bytes of that block which were read */
} upload_source;

/** Describes the source. Returns PLAT_OK, or the failure of the reader. */
plat_result upload_source_init(upload_source *s, const iothub_upload_options *o);

/** Writes which bytes are uploaded to where, so that a later run can compare it. */
void upload_source_name(const upload_source *s, const iothub_connection_string *device,
                        const iothub_upload_options *o, char *out, size_t cap);

/** Returns the number of blocks, at least 1; UINT32_MAX if it is not known yet. */
uint32_t upload_source_blocks(const upload_source *s);

/** Returns IOTHUB_ERR_TOO_BIG if there are too many blocks. */
iothub_result upload_source_check(const upload_source *s, iothub_error *error);

/** Returns the number of bytes in these blocks. */
uint64_t upload_source_count(const upload_source *s, const upload_blocks *blocks);

/** Returns the size of a block. */
size_t upload_source_size_of(const upload_source *s, uint32_t number);

/**
 * Reads the next block into buf, of block_size bytes. Call it again with the same buf after
 * UPLOAD_WAITS.
 * @param[out] number  number of the block, after UPLOAD_FILLED
 * @param[out] len     its size
 */
upload_filled upload_source_fill(upload_source *s, uint8_t *buf, uint32_t *number, size_t *len);

/** Leaves out the next block. Allowed only if the source rewinds, between two blocks. */
void upload_source_skip(upload_source *s);

/** Begins again with the first block. Returns false if the source does not rewind. */
bool upload_source_rewind(upload_source *s);

#endif
