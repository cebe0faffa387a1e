#ifndef IOTHUB_UPLOAD_SAVED_H
#define IOTHUB_UPLOAD_SAVED_H

/** @file The state of an upload in a store, for a later run of the program. */

#include "platform/kv.h"
#include "upload/upload_blocks.h"
#include "upload/upload_wire.h"

/** How an upload has ended, from the view of the hub. */
typedef enum upload_outcome {
    UPLOAD_OPEN = 0,  /* it has not ended */
    UPLOAD_SUCCEEDED, /* the blob is complete */
    UPLOAD_FAILED
} upload_outcome;

enum { UPLOAD_SOURCE_SIZE = 1600 };

/** What is stored. */
typedef struct upload_saved {
    char source[UPLOAD_SOURCE_SIZE]; /* which bytes are uploaded to where */
    upload_place place;              /* its token is "?" if it was not kept */
    upload_outcome outcome;
    int status;      /* HTTP status for the notification */
    uint32_t series; /* the ids of the blocks; see upload_put_block */
    upload_blocks blocks;
} upload_saved;

/** Reads a state. PLAT_EOF means that there is none, or that it is not valid. */
plat_result upload_saved_get(plat_kv *kv, const char *key, upload_saved *out);

/**
 * Reads a state as upload_saved_get, if there is a store.
 * @param kv          the store; NULL: there is none
 * @param[out] found  whether there is a valid state
 * @return IOTHUB_OK, or an error with its text if the store cannot be read
 */
iothub_result upload_saved_load(plat_kv *kv, const char *key, upload_saved *out, bool *found,
                                iothub_error *error);

/** Writes a state; the token only if keep_token. */
plat_result upload_saved_put(plat_kv *kv, const char *key, const upload_saved *s, bool keep_token);

/** Begins with another source: no block has arrived, and the blocks get other ids. */
void upload_saved_set_source(upload_saved *s, const char *source, uint32_t series);

/** Forgets all blocks that have arrived. */
void upload_saved_clear_blocks(upload_saved *s);

/** Sets the place of a new upload. Returns false if it is another blob; no block has arrived then.
 */
bool upload_saved_set_place(upload_saved *s, const upload_place *place);

/** Forgets the correlation id and the token, but not which blob it was. */
void upload_saved_clear_place_id(upload_saved *s);

/** Notes that a block has arrived. */
void upload_saved_add_block(upload_saved *s, uint32_t number);

/** Erases the place. */
void upload_saved_clear_place(upload_saved *s);

/** Sets how the upload has ended. */
void upload_saved_set_outcome(upload_saved *s, upload_outcome outcome, int status);

/** Returns whether the place of a stored upload can still be used to send bytes. */
bool upload_saved_has_token(const upload_saved *s);

#endif
