#ifndef PLAT_KV_H
#define PLAT_KV_H

/**
 * @file
 * A small store of named values that outlives the process, for a few things that are written
 * seldom, such as the hub that a device was assigned to.  platform/file_kv.h implements it with
 * files.  Telemetry has a store of its own: platform/store.h.
 *
 * A key has 1 to PLAT_KV_KEY_MAX characters of A-Z a-z 0-9 - _ . and does not begin with a dot.  A
 * value has 0 to PLAT_KV_VALUE_MAX bytes.
 *
 * A value is replaced as a whole: after a crash or a loss of power it is either the old one or the
 * new one.  A value that was damaged on the disk counts as absent, and is never returned.
 *
 * The functions may wait for the disk.  Only one thread at a time may call them.
 */

#include <stddef.h>

#include "platform/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Longest key in characters. */
#define PLAT_KV_KEY_MAX 64
/** Largest value in bytes: enough for a chain of certificates. */
#define PLAT_KV_VALUE_MAX (64u * 1024u)

/** A store of named values. */
typedef struct plat_kv plat_kv;

/** The functions of such a store. */
typedef struct plat_kv_ops {
    /**
     * Reads a value.
     * @param kv        the store
     * @param key       the key, NUL-terminated
     * @param[out] buf  the value; of no value after a failure
     * @param cap       size of buf
     * @param[out] len  size of the value
     * @retval PLAT_EOF           there is no such value, or it is damaged
     * @retval PLAT_ERR_NO_SPACE  the value is larger than cap; *len is its size
     * @retval PLAT_ERR_ARG       this is not a key
     * @retval PLAT_ERR_STORE     the disk failed
     */
    plat_result (*get)(plat_kv *kv, const char *key, void *buf, size_t cap, size_t *len);

    /**
     * Writes a value in the place of the old one.  After PLAT_OK it survives a loss of power.
     * @param kv    the store
     * @param key   the key, NUL-terminated
     * @param data  the value
     * @param len   its size
     * @retval PLAT_ERR_FULL   no space is left; the old value stays
     * @retval PLAT_ERR_ARG    this is not a key, or the value is too large
     * @retval PLAT_ERR_STORE  the disk failed.  The old value stays, or the new one is there; if
     *                         only the last step failed, a loss of power decides which.
     */
    plat_result (*put)(plat_kv *kv, const char *key, const void *data, size_t len);

    /**
     * Removes a value.
     * @param kv   the store
     * @param key  the key, NUL-terminated; it is no error if there is no such value
     * @retval PLAT_ERR_ARG    this is not a key
     * @retval PLAT_ERR_STORE  the disk failed
     */
    plat_result (*remove)(plat_kv *kv, const char *key);

    /**
     * Explains why the last call has failed.
     * @param kv  the store
     * @return one line that names the file and never shows a value, valid until the next call; ""
     *         without a failure
     */
    const char *(*detail)(const plat_kv *kv);
} plat_kv_ops;

/** The first member of every implementation. */
struct plat_kv {
    const plat_kv_ops *ops; /**< the functions of this store */
};

#ifdef __cplusplus
}
#endif
#endif
