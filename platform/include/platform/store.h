#ifndef PLAT_STORE_H
#define PLAT_STORE_H

/**
 * @file
 * A durable queue of records, first in, first out.  Telemetry waits in it if it has to survive the
 * end of the process or a loss of power.
 *
 * Each record has a sequence number.  It is one more than that of the record before it, except
 * after a crash: the numbers that a lost record may have had are then left out.  No number is used
 * twice in the life of a store, even after all records were removed.
 *
 * A store has one owner at a time: a second process that opens it gets PLAT_ERR_STORE_BUSY.  A
 * store is not thread-safe: its client calls it, one thread at a time.  Appending and syncing block
 * for as long as the disk needs.
 */

#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A store. */
typedef struct plat_store plat_store;

/** A record.  The store returns everything except seq as the caller has appended it. */
typedef struct plat_store_record {
    uint64_t seq;     /**< sequence number; append sets it */
    int64_t stored_s; /**< when it was appended, in seconds since 1970-01-01 UTC; 0: unknown */
    uint64_t tag;     /**< of the caller's choice */
    uint32_t id;      /**< of the caller's choice */
    uint32_t ttl_ms; /**< how long it is useful, in milliseconds from stored_s on; 0: without end */
    uint32_t flags;  /**< of the caller's choice */
    const void *head; /**< the first part of the record */
    size_t head_len;  /**< its size in bytes; may be 0 */
    const void *body; /**< the second part of the record */
    size_t body_len;  /**< its size in bytes; may be 0 */
} plat_store_record;

/** What a store contains. */
typedef struct plat_store_info {
    uint64_t id;       /**< a random number, chosen when the store was made, that identifies it */
    uint64_t next_seq; /**< sequence number of the next record that is appended */
    uint64_t count;    /**< number of records in the store */
    uint64_t bytes;    /**< bytes of their heads and bodies */
    uint64_t disk;     /**< approximate bytes of the store's files */
} plat_store_info;

/** The functions of a store. */
typedef struct plat_store_ops {
    /**
     * Appends a record.  After PLAT_OK the record survives the end of the process.  It also
     * survives a loss of power: immediately, or after the next sync, which happens within the delay
     * with which the store was opened.
     *
     * @param s       the store
     * @param r       the record, which the store copies; its seq is set
     * @param now_ms  the time by plat_clock.monotonic_ms
     * @retval PLAT_ERR_FULL   no space on the disk, or the store's limit; nothing is stored
     * @retval PLAT_ERR_STORE  the disk failed.  The record is not in the store; but if the process
     *                         ends now, it may be in the store when that is opened again.
     * @retval PLAT_ERR_ARG    the record is larger than any store can save
     * @return PLAT_ERR_STORE_DAMAGED or PLAT_ERR_MEMORY as well
     */
    plat_result (*append)(plat_store *s, plat_store_record *r, uint64_t now_ms);

    /**
     * Reads the first record whose sequence number is seq or higher.
     *
     * @param s         the store
     * @param seq       where to begin
     * @param[out] out  the record; its head and body stay valid until the next call on the store
     * @retval PLAT_EOF                there is no such record
     * @retval PLAT_ERR_STORE_DAMAGED  the record is not what was stored, or records are missing.
     *                                 From now on every call returns this, and the file is not
     *                                 written to.
     */
    plat_result (*read)(plat_store *s, uint64_t seq, plat_store_record *out);

    /**
     * Removes a record.  read and info take it into account immediately.  The disk follows within
     * the delay: after a crash a removed record may be in the store again.
     *
     * @param s       the store
     * @param seq     its sequence number; it is no error if there is no such record
     * @param now_ms  the time by plat_clock.monotonic_ms
     */
    plat_result (*remove)(plat_store *s, uint64_t seq, uint64_t now_ms);

    /**
     * Writes everything to the disk, so that it survives a loss of power.
     * @param s  the store
     */
    plat_result (*sync)(plat_store *s);

    /**
     * Reports when on_time has to be called at the latest.
     * @param s  the store
     * @return a time by plat_clock.monotonic_ms; 0: no call is needed
     */
    uint64_t (*next_deadline)(const plat_store *s);

    /**
     * Syncs the store if its deadline is reached.
     * @param s       the store
     * @param now_ms  the time by plat_clock.monotonic_ms
     */
    plat_result (*on_time)(plat_store *s, uint64_t now_ms);

    /**
     * Reports what the store contains.
     * @param s         the store
     * @param[out] out  the answer
     */
    void (*info)(const plat_store *s, plat_store_info *out);

    /**
     * Explains why the last call has failed.
     * @param s  the store
     * @return one line that names the file, valid until the next call; "" without a failure
     */
    const char *(*detail)(const plat_store *s);

    /**
     * Syncs and closes the store and gives back its memory.  The records stay in the file.
     * @param s  the store; after any result but PLAT_ERR_STATE it no longer exists
     * @retval PLAT_ERR_STATE  a client has the store: nothing happened; call iothub_deinit first
     */
    plat_result (*close)(plat_store *s);
} plat_store_ops;

/** The first member of every implementation, which sets ops and leaves user NULL. */
struct plat_store {
    const plat_store_ops *ops; /**< the functions of this store */
    const void *user;          /**< the client that has the store; NULL: none.  The client sets it,
                                    and a second client is refused. */
};

#ifdef __cplusplus
}
#endif
#endif
