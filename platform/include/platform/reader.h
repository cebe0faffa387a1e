#ifndef PLAT_READER_H
#define PLAT_READER_H

/**
 * @file
 * Bytes that are read piece by piece, such as a file that is uploaded.  platform/file_reader.h
 * implements it for files.  An application implements it for everything else, such as a camera or
 * a pipe.
 *
 * Only one thread at a time may use a reader.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of a source whose end is not known before it has been read. */
#define PLAT_SIZE_UNKNOWN UINT64_MAX

/** The description of a source.  It does not grow. */
typedef struct plat_reader_info {
    uint64_t size; /**< Number of bytes, or PLAT_SIZE_UNKNOWN. */
    /** A number that changes when the content is replaced, such as the time of the last change; 0
     * if there is no such number. */
    uint64_t version;
    bool rewinds; /**< Every byte can be read again.  false: offsets never go back. */
} plat_reader_info;

/** A source of bytes. */
typedef struct plat_reader plat_reader;

/** The functions of a reader. */
typedef struct plat_reader_ops {
    /**
     * Describes the source as it is now.
     * @param r          the reader
     * @param[out] info  the description
     * @return any failure; the detail says why
     */
    plat_result (*describe)(plat_reader *r, plat_reader_info *info);

    /**
     * Reads bytes.  It may wait for a disk, but must not wait for a network or a person.
     * @param r         the reader
     * @param offset    number of the first byte, from 0 on.  Without rewinds it is the number of
     *                  bytes that were read before.
     * @param[out] buf  the bytes
     * @param cap       size of buf, at least 1
     * @param[out] len  number of bytes in buf; 0 with PLAT_OK means that the source ends at offset
     * @retval PLAT_OK           *len bytes were read, or the source has ended
     * @retval PLAT_WOULD_BLOCK  no bytes are available yet; the caller tries again soon
     * @return any other result: the source has failed; the detail says why
     */
    plat_result (*read)(plat_reader *r, uint64_t offset, void *buf, size_t cap, size_t *len);

    /**
     * Explains why the last call has failed.
     * @param r  the reader
     * @return one line, valid until the next call; "" without a failure
     */
    const char *(*detail)(const plat_reader *r);
} plat_reader_ops;

/** The first member of every implementation. */
struct plat_reader {
    const plat_reader_ops *ops; /**< The functions of this reader. */
};

#ifdef __cplusplus
}
#endif
#endif
