#ifndef PLAT_WS_MASKS_H
#define PLAT_WS_MASKS_H

/**
 * @file
 * Masks of frames. RFC 6455 section 5.3 requires a new mask for each frame, from a strong source of
 * entropy, that nobody can predict from earlier masks. They are derived from a random key by
 * HMAC-SHA256, eight at a time, because the random source of the platform makes system calls and
 * uses the heap.
 */

#include "platform/platform.h"

/** Size of a mask in bytes. */
#define PLAT_WS_MASK 4

/** A generator of masks. Only ws_masks.c writes its members. */
typedef struct plat_ws_masks {
    const plat_crypto *crypto;
    uint64_t blocks; /* number of blocks that were derived from the key */
    size_t used;     /* bytes of the block that masks were made of */
    uint8_t key[PLAT_SHA256_SIZE];
    uint8_t block[PLAT_SHA256_SIZE];
} plat_ws_masks;

/** Makes a generator with a new random key. Returns PLAT_ERR_CRYPTO if there is no entropy. */
plat_result plat_ws_masks_init(plat_ws_masks *m, const plat_crypto *crypto);

/** Makes the next mask. */
plat_result plat_ws_masks_next(plat_ws_masks *m, uint8_t mask[PLAT_WS_MASK]);

/**
 * Writes masked bytes.
 * @param to    the masked bytes
 * @param from  the bytes of a frame's content, from its first byte on
 */
void plat_ws_mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[PLAT_WS_MASK]);

#endif
