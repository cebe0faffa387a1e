#ifndef IOTHUB_UPLOAD_SLOTS_H
#define IOTHUB_UPLOAD_SLOTS_H

/** @file The blocks in flight: filled from the source, sent, and sent again after a failure. */

#include "upload/upload_blocks.h"
#include "upload/upload_requests.h"
#include "upload/upload_source.h"

/** State of a slot. */
typedef enum upload_slot_state {
    UPLOAD_SLOT_FREE = 0,
    UPLOAD_SLOT_FILLING, /* it waits for the reader */
    UPLOAD_SLOT_READY,
    UPLOAD_SLOT_BUSY /* the request is on its way */
} upload_slot_state;

/** How the bytes are sent. It is decided before the first request, and then stays. */
typedef enum upload_mode {
    UPLOAD_MODE_UNDECIDED = 0,
    UPLOAD_MODE_SINGLE, /* one request sends the whole blob */
    UPLOAD_MODE_BLOCKS  /* blocks, which a commit makes the blob */
} upload_mode;

/** A block in memory. */
typedef struct upload_slot {
    upload_slot_state state;
    plat_http *http;
    uint8_t *bytes;
    size_t len;
    uint32_t number;
    uint32_t failures; /* number of failures in a row of the request for this block */
    uint64_t due;      /* when the next attempt begins */
} upload_slot;

/** All slots. Only upload_slots.c writes its members. */
typedef struct upload_slots {
    const iothub_upload_options *o;
    upload_mode mode;
    upload_slot slots[IOTHUB_UPLOAD_PARALLEL_MAX];
} upload_slots;

/** What upload_slots_run reports. */
typedef enum upload_slots_answer {
    UPLOAD_SLOTS_WAIT,    /* nothing has changed */
    UPLOAD_SLOTS_EMPTY,   /* all blocks have arrived */
    UPLOAD_SLOTS_WHOLE,   /* the blob has arrived as a whole */
    UPLOAD_SLOTS_ARRIVED, /* a block has arrived */
    UPLOAD_SLOTS_REPEAT,  /* a request has failed and will be repeated; *why is set */
    UPLOAD_SLOTS_REFUSED, /* the storage refuses for good; *why is set */
    UPLOAD_SLOTS_BROKEN   /* the source has failed; *why is set */
} upload_slots_answer;

/** What happened to which block. */
typedef struct upload_slots_event {
    uint32_t number;
    size_t len;
    int status; /* HTTP status of the storage, after UPLOAD_SLOTS_REFUSED */
} upload_slots_event;

/** Makes the slots. Returns false without memory; upload_slots_free is needed all the same. */
bool upload_slots_init(upload_slots *s, const iothub_upload_options *o,
                       plat_result (*make_http)(plat_http **out));
void upload_slots_free(upload_slots *all);

/**
 * Does one step. Call it again until it returns UPLOAD_SLOTS_WAIT or UPLOAD_SLOTS_EMPTY.
 * @param have  the blocks that have arrived, which are left out
 */
upload_slots_answer upload_slots_run(upload_slots *all, upload_source *source,
                                     const upload_blocks *have, const upload_target *target,
                                     upload_slots_event *event, iothub_error *why);

/** Ends the requests on their way. Their blocks stay in memory and are sent again later. */
void upload_slots_stop(upload_slots *all);

/** Forgets the blocks in memory as well. */
void upload_slots_clear(upload_slots *all);

/** Returns when the next attempt after a failure begins, but at least retry_after_s from now. */
uint64_t upload_next_attempt(const iothub_upload_options *o, uint32_t *failures,
                             uint32_t retry_after_s);

/** Reports what to wait for, as iothub_upload_poll_info. A request always has the same slots. */
void upload_slots_poll(const upload_slots *all, uint64_t now, iothub_upload_poll *out);

#endif
