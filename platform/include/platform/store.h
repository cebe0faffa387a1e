#ifndef PLAT_STORE_H
#define PLAT_STORE_H

/**
 * @file
 * A durable queue of records, first in, first out: what telemetry waits in when it
 * has to survive the end of the process or of the power.
 *
 * Every record has a sequence number, higher than that of the record before it.  It is
 * one more, except after a crash: the numbers that a lost record may have had are then left
 * out, because no number is used twice in the life of a store, also when all records are gone.
 *
 * A store has one owner at a time: a second process that opens it gets
 * PLAT_ERR_STORE_BUSY.  Not thread-safe: its client calls it, one thread at a time.
 * Appending and syncing block for as long as the disk takes.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct plat_store plat_store;

/** All but seq is the caller's own and comes back as it was. */
typedef struct plat_store_record {
    uint64_t seq;     /* set by append */
    int64_t stored_s; /* wall clock when it was appended; 0: unknown */
    uint64_t tag;
    uint32_t id;
    uint32_t ttl_ms; /* from stored_s on; 0: no end */
    uint32_t flags;
    const void *head; /* two pieces, either may be empty */
    size_t head_len;
    const void *body;
    size_t body_len;
} plat_store_record;

typedef struct plat_store_info {
    uint64_t id;       /* random, made with the store: tells two stores apart */
    uint64_t next_seq; /* of the next record to be appended */
    uint64_t count;    /* records in the store */
    uint64_t bytes;    /* head and body of these */
    uint64_t disk;     /* bytes of its files, about */
} plat_store_info;

typedef struct plat_store_ops {
    /**
     * Add r at the end.  PLAT_OK: the record outlives the process from now on.  It
     * outlives a loss of power too: at once, or from the next sync on that happens within the
     * delay with which the store was opened.
     * @retval PLAT_ERR_FULL   no space on the disk, or the store's own limit; nothing is stored
     * @retval PLAT_ERR_STORE  the disk failed; the record is not in the store, but if the
     *                         process ends now it may be after the next opening
     */
    plat_result (*append)(plat_store *s, plat_store_record *r, uint64_t now_ms);

    /**
     * The first record with seq or a higher number.  head and body stay valid until the
     * next call on the store.
     * @retval PLAT_EOF                there is none
     * @retval PLAT_ERR_STORE_DAMAGED  it is not what was stored, or records are missing: said by
     *                                 every call from now on, and the file is not written to
     */
    plat_result (*read)(plat_store *s, uint64_t seq, plat_store_record *out);

    /**
     * The record is not needed any more.  Takes effect for read and info at once; on the disk
     * within the delay: after a crash a removed record may be there again.  Removing
     * what is not there is no error.
     */
    plat_result (*remove)(plat_store *s, uint64_t seq, uint64_t now_ms);

    /** Everything up to here on the disk, to outlive a loss of power. */
    plat_result (*sync)(plat_store *s);

    /** 0: nothing waits for time.  Call on_time no later than that. */
    uint64_t (*next_deadline)(const plat_store *s);
    plat_result (*on_time)(plat_store *s, uint64_t now_ms);

    void (*info)(const plat_store *s, plat_store_info *out);

    /** Why the last call failed, for people: one line that names the file.  "" without failure. */
    const char *(*detail)(const plat_store *s);

    /**
     * Sync, close, give back the memory.  The records stay for the next opening.
     * @retval PLAT_ERR_STATE  a client has it: nothing happened, iothub_deinit comes first
     */
    plat_result (*close)(plat_store *s);
} plat_store_ops;

/** First member of every implementation, which sets ops and leaves user NULL. */
struct plat_store {
    const plat_store_ops *ops;
    const void *user; /* the client that has it; a second one is refused */
};

#ifdef __cplusplus
}
#endif
#endif
