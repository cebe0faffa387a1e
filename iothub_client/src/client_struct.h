#ifndef IOTHUB_CLIENT_STRUCT_H
#define IOTHUB_CLIENT_STRUCT_H

/**
 * @file
 * The complete client.
 */

#include "context/context.h"
#include "iothub/memory_size.h"

/* What iothub_get_stats counts, one struct a part. */
typedef struct iothub_session_counts {
    uint64_t connects;
    uint64_t failed_attempts;
    uint64_t losses;
    uint64_t ack_timeouts;
    uint64_t read_stalls;
    uint64_t token_renewals;
    uint64_t renewal_gap_last_ms;
    uint64_t renewal_gap_longest_ms;
    uint64_t renewal_gap_sum_ms;
    uint64_t tls_resumptions;
} iothub_session_counts;

typedef struct iothub_traffic {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t send_calls;
    uint64_t recv_calls;
} iothub_traffic;

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
    iothub_method_slot_state state;
    uint32_t call;
    uint32_t since_s; /* of the monotonic clock */
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

/** Whether a stage of connecting goes on, see stage.c. */
typedef struct iothub_pace {
    unsigned late : 1;   /* the second half of its time has begun, */
    unsigned moved : 31; /* and when it did, so many bytes had been moved, modulo 2^31 */
} iothub_pace;

/** What happens to the connection, written by session.c only. */
typedef struct iothub_session {
    mqc_time deadline;      /* end of the state; 0: none */
    mqc_time attempt_began; /* before the first one, when the client was made */
    mqc_time connected_at;  /* 0: not since the last failure */
    mqc_time login_at;      /* when the token in use was made */
    mqc_time left_at;       /* planned: from here on it took no telemetry */
    int64_t clock_s;        /* credential_clock of the attempt and its token */
    int64_t token_expiry_s; /* wall clock; of the ready-made token, 0: the client has a key */
    mqc_time token_notice_at;
    int64_t notice_clock_s; /* credential_clock when that was worked out */
    uint32_t deferred;      /* C2D messages to be accepted later, on this connection */
    uint16_t subscribe_id;  /* of the SUBSCRIBE under way */
    uint16_t unsubscribed;  /* features that nobody takes: bits of topic_feature */
    iothub_pace pace;
    bool token_replaced; /* since the last CONNECT */
    bool planned;        /* the connection was left on purpose */
    iothub_session_counts counts;
} iothub_session;

/** Failures and waits, written by back_off.c only. */
typedef struct iothub_back_off {
    uint32_t failures; /* attempts in a row, and refusals of the credential among them */
    uint32_t refusals;
    uint32_t evictions; /* connections in a row that the hub closed soon */
    uint32_t look_ms;   /* WAITING: how often to look at the clock; 0: never */
    mqc_time look_at;
    mqc_time failing_since;
} iothub_back_off;

/** The planned change of the connection, and the second one in the making; written by
 * renewal.c only. */
typedef struct iothub_renewal {
    iothub_state spare; /* the second connection: see link.h */
    uint32_t failures;  /* attempts in a row */
    mqc_time deadline;  /* end of the spare's state; 0: none */
    mqc_time began;     /* the attempt */
    mqc_time switch_by; /* until then, open methods and deferred messages postpone it */
    iothub_pace pace;   /* of the spare */
    bool due;
    bool urgent; /* by iothub_reconnect_now */
} iothub_renewal;

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

/** What the application asked for and iothub_process has not carried out, in this order. */
typedef enum iothub_wish_kind {
    IOTHUB_WISH_NONE = 0,
    IOTHUB_WISH_START,
    IOTHUB_WISH_STOP,
    IOTHUB_WISH_START_STOP,
    IOTHUB_WISH_STOP_START
} iothub_wish_kind;

typedef struct iothub_wish {
    iothub_wish_kind kind;
    mqc_time stop_at; /* with a stop: the end of the grace */
} iothub_wish;

/** Whether a request has to wake the runner, see wake.c. */
typedef struct iothub_wake {
    mqc_time wake_at;     /* when the runner's thread wakes by itself; 0: never */
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
    char *token; /* ready-made; replaced by iothub_set_token */
    size_t token_cap;

    mqc_engine engine;
    plat_stream_storage stream_memory[2];
    plat_stream *stream; /* NULL until the first attempt */
    plat_stream *spare;  /* the other one; NULL until the first renewal */

    iothub_session session;
    iothub_back_off back_off;
    iothub_renewal renewal;
    iothub_wish wish;
    iothub_twin_sync twin;
    iothub_backlog backlog;
    uint64_t dropping; /* telemetry given up in the lane and not reported by the engine */
    iothub_method_slot methods[IOTHUB_OPEN_METHODS];
    uint32_t last_call;

    uint16_t magic;      /* IOTHUB_CLIENT_MAGIC from init to deinit */
    bool from_heap : 1;  /* made by iothub_new */
    bool swapped : 1;    /* the stream in use is the one that was made second */
    bool empty_seen : 1; /* a message was empty although its body was set: the log says so */
    bool unserved : 1;   /* nobody has started and driven it yet, and the log does not say so */
    uint8_t
        unread_turns; /* in a row that only sent; at the most there may be, the next one reads */
    bool want_write;  /* the stream would not take all */
    bool rx_full;     /* events must be acknowledged before more is read */
    iothub_traffic traffic;
    iothub_telemetry_counts telemetry_counts;
    iothub_c2d_counts c2d_counts;
    iothub_methods_counts methods_counts;
    iothub_wake wake;
    iothub_result (*stop_runner)(iothub_client *c); /* NULL: there never was a runner */
};

#endif
