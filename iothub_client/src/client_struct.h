#ifndef IOTHUB_CLIENT_STRUCT_H
#define IOTHUB_CLIENT_STRUCT_H

/**
 * @file
 * The complete client.
 */

#include "connection/session.h"
#include "drive/traffic.h"
#include "iothub/memory_size.h"

/* What iothub_get_stats counts, one struct a part. */
typedef struct iothub_telemetry_counts {
    uint64_t accepted;
    uint64_t found;
    uint64_t stored;
    uint64_t acknowledged;
    uint64_t expired;
    uint64_t dropped;
    uint64_t cancelled;
    uint64_t kept;
    uint64_t store_errors;
} iothub_telemetry_counts;

typedef struct iothub_c2d_counts {
    uint64_t received;
    uint64_t accepted;
    uint64_t oversize;
} iothub_c2d_counts;

typedef struct iothub_methods_counts {
    uint64_t received;
    uint64_t answered;
} iothub_methods_counts;

typedef struct iothub_twin_counts {
    uint64_t delivered;
    uint64_t duplicates;
    uint64_t gaps;
    uint64_t retries;
} iothub_twin_counts;

#define IOTHUB_OPEN_METHODS 16 /* calls answered later; one more is refused with 503 */

typedef enum iothub_method_slot_state {
    IOTHUB_SLOT_FREE = 0,
    IOTHUB_SLOT_OPEN,
    IOTHUB_SLOT_ANSWERED
} iothub_method_slot_state;

typedef struct iothub_method_slot {
    uint32_t call;
    unsigned state : 2;    /* iothub_method_slot_state */
    unsigned since_s : 30; /* of the monotonic clock */
} iothub_method_slot;

/** What the client knows of the desired properties, and of the hub's patience. */
typedef struct iothub_twin_sync {
    bool pending;        /* a GET of the client's own is under way, */
    bool stale;          /* and was so when an earlier connection broke */
    bool starved;        /* it found no room among the requests of the application */
    bool oversize;       /* the application knows that the document is larger than rx_size */
    uint32_t failures;   /* useless answers in a row */
    uint64_t version;    /* last delivered; 0: none */
    uint64_t newest;     /* highest seen while pending */
    mqc_time retry_at;   /* of the client's own GET; 0: not scheduled */
    mqc_time hold_until; /* the hub wants to be asked later, 0: it does not; */
    iothub_op later_op;  /* what it said last, and to which request */
    int later_status;
    iothub_twin_counts counts;
} iothub_twin_sync;

/** A record taken from the store. */
typedef struct iothub_in_lane {
    uint64_t seq; /* 0: removed already */
    void *tag;    /* of the application */
    iothub_op op; /* 0: of an earlier run, or the lane knows it */
    uint32_t next;
} iothub_in_lane;

/** Telemetry in the store, see backlog.c. */
typedef struct iothub_backlog {
    iothub_in_lane *table;
    uint32_t table_len;
    uint32_t fresh;  /* places from here on were never used */
    uint32_t free;   /* lists of places: free ones, */
    uint32_t ended;  /* ends that were told, to be removed from the store, */
    uint32_t untold; /* removed, to be told */
    uint32_t untold_last;
    size_t lane_max; /* so many at a time are in the lane, */
    size_t in_lane;  /* and so many now */

    uint64_t next;      /* records from here on wait in the store only */
    uint64_t first_own; /* records from here on were stored by this client */
    uint64_t open;      /* records whose end was not counted */
    uint64_t purge_end; /* records before this are given up; 0: none */
    uint64_t purging;   /* how many these are */
    mqc_time front_expires;
    bool front_known; /* front_expires is that of the first record that waits; 0: never */

    bool unsaid; /* the last failure is not in the log yet: */
    plat_result fault;
    uint32_t failures;
    const char *fault_text; /* NULL: the store knows */
    mqc_time retry_at;      /* the store is left alone until then; 0: it works */
} iothub_backlog;

/** Whether a request has to wake the runner, see wake.c. */
typedef struct iothub_wake {
    mqc_time wake_at;     /* when the runner's thread wakes by itself */
    iothub_op last_op;    /* before it last fell asleep */
    bool lone;            /* of late, requests came one at a time */
    uint8_t quiet_sleeps; /* since telemetry was last queued; no more than matter */
} iothub_wake;

#define IOTHUB_CLIENT_MAGIC 0x107B
#define IOTHUB_ENDED_MAGIC  0x107E /* ended, and its memory is still to be given to the heap */

struct iothub_client {
    iothub_context context;
    void *memory; /* given by the caller or the heap; wiped at the end */
    size_t memory_len;
    mqc_engine engine;
    iothub_session session;
    iothub_twin_sync twin;
    iothub_backlog backlog;
    uint32_t deferred;            /* C2D messages to be accepted later, */
    uint32_t deferred_generation; /* on this connection */
    iothub_method_slot methods[IOTHUB_OPEN_METHODS];
    uint32_t methods_generation; /* of the connection that they belong to */
    uint32_t last_call;
    uint32_t full_generation; /* the connection on which there is no room to read; 0: on none */
    uint32_t dropping;        /* telemetry given up in the lane and not reported by the engine */

    uint16_t magic;      /* IOTHUB_CLIENT_MAGIC from init to deinit */
    bool from_heap : 1;  /* made by iothub_new */
    bool empty_seen : 1; /* a message was empty although its body was set: the log says so */
    bool unserved : 1;   /* nobody has started and driven it yet, and the log does not say so */
    uint8_t
        unread_turns; /* in a row that only sent; at the most there may be, the next one reads */
    iothub_traffic traffic;
    iothub_telemetry_counts telemetry_counts;
    iothub_c2d_counts c2d_counts;
    iothub_methods_counts methods_counts;
    iothub_wake wake;
    iothub_result (*stop_runner)(iothub_client *c); /* NULL: there never was a runner */
};

#endif
