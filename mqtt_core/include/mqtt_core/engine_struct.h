#ifndef MQC_ENGINE_STRUCT_H
#define MQC_ENGINE_STRUCT_H

/**
 * @file
 * The complete types of engine.h, for those who place an engine in memory of
 * their own.  Members are private and change with any version: recompile.  Once
 * initialised an engine stays where it is: it points into itself.
 */

#include "mqtt_core/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MQC_PENDING_MAX 4

struct mqc_entry {
    void *tag;
    union {
        mqc_time expires;  /* 0: never */
        mqc_entry *behind; /* MQC_ENTRY_RECEIVED: the next in mqc_pubrel_chain; ENDED: to report */
    } u;
    uint32_t id;
    uint32_t len;       /* bytes in the ring */
    uint16_t packet_id; /* 0 for QoS 0 */
    uint8_t state;      /* mqc_entry_state */
    uint8_t flags;      /* mqc_entry_flag */
    uint8_t outcome;    /* mqc_outcome, once ended */
    uint8_t kind;
    uint8_t lane; /* of an entry in mqc_pubrel_chain */
};

struct mqc_inbound {
    uint16_t packet_id;
    uint8_t qos;
    bool acked; /* by the application */
};

/* How many publishes of a lane may be sent and not finished; see window.h. */
typedef struct mqc_window {
    mqc_time go_on_at;  /* when a stopped lane uses whatever is free; UINT64_MAX: not decided */
    uint32_t used;      /* slots in use: granted, and neither finished nor given back */
    uint32_t in_flight; /* of these, sent and not finished */
    uint16_t size;
    uint16_t resume_at; /* a stopped lane goes on when no more slots than that are in use */
    bool stopped;       /* the window was full; a batch has to come together */
} mqc_window;

/* When entries of a lane expire; see expiry.h. */
typedef struct mqc_expiry {
    mqc_time next;    /* none expires before */
    mqc_time *groups; /* the same for groups of entries, then for groups of groups; NULL: none */
} mqc_expiry;

/*
 * A lane.  Positions named send and grant count entries from the oldest
 * one: 0 <= send <= grant <= count.
 */
typedef struct mqc_outbox {
    uint8_t number;
    bool held;
    bool overdue;     /* something could not be stopped because it was on its way out */
    bool owed;        /* in flight is, or was since it was last empty, a publish with QoS */
    bool id_passed;   /* by the next candidate, while it was in use: see ids.c */
    uint16_t left_kb; /* the largest QoS 0 packet of the last run, 0: none above 1 KB */

    mqc_time oldest_at; /* then: since when the oldest entry has been that */

    uint8_t *ring;
    size_t ring_len;
    size_t ring_head; /* first byte of the oldest entry */
    size_t ring_used;

    mqc_entry *entries; /* circular */
    uint32_t entries_len;
    uint32_t head; /* index of the oldest entry */
    uint32_t count;

    uint32_t send;        /* the next entry to leave, */
    size_t send_done;     /* bytes of the next entry that have left, */
    size_t send_at;       /* and the first one that has not */
    size_t granted_bytes; /* from send_at to the end of what may leave */
    size_t offered;       /* bytes handed out, none of them consumed yet */

    uint32_t grant;       /* entries before this one may leave */
    uint32_t freed;       /* while some are unreported: entries at the head without space, */
    uint32_t undroppable; /* and as many or more that mqc_drop cannot end: it looks behind them */

    uint32_t recent_at;  /* position of recent */
    mqc_entry *ended;    /* those that wait to be reported, the oldest first, */
    mqc_entry *recent;   /* the one among them that ended last, NULL: reported, */
    uint32_t unreported; /* and how many they are */
    uint32_t live;       /* accepted and not reported */

    mqc_window window;
    mqc_expiry expiry;
} mqc_outbox;

/* Control packets on their way out, one behind the other. */
typedef struct mqc_control {
    uint8_t *buf;
    size_t cap;
    size_t start;
    size_t end;
} mqc_control;

/* Messages with QoS that were handed out; see inbox.h for the order of the table. */
typedef struct mqc_inbox {
    mqc_inbound *table; /* circular */
    size_t cap;
    size_t head;
    size_t count;
    size_t released; /* PUBREL came: so many at the head wait for PUBCOMP to be encoded, */
    size_t received; /* behind them, so many wait for the server, */
    size_t acked;    /* and behind these, so many for PUBACK or PUBREC to be encoded */
} mqc_inbox;

/* QoS 2 publishes for which PUBREC came, in the order of the PUBRECs. */
typedef struct mqc_pubrel_chain {
    mqc_entry *first;
    mqc_entry *last;
    mqc_entry *due; /* PUBREL of this one and those behind it has not been encoded */
} mqc_pubrel_chain;

/* A fixed header. */
typedef struct mqc_header {
    uint8_t type;
    uint8_t flags;
    uint8_t len; /* of the header itself */
    uint32_t remaining;
} mqc_header;

/* What the server sends. */
typedef struct mqc_input {
    uint8_t *buf;
    size_t cap;
    size_t start; /* first byte not yet understood */
    size_t end;
    size_t skip;         /* bytes of an oversize packet still to be dropped */
    uint32_t after_id;   /* of it, bytes behind the packet id */
    mqc_header header;   /* of the packet at start */
    uint8_t phase;       /* mqc_input_phase */
    uint8_t flow;        /* mqc_input_flow */
    bool unread;         /* bytes came that mqc_next_event has not looked at */
    bool passed_over;    /* a message had no place and is wanted on another connection */
    mqc_time stalled_at; /* when mqc_tick first saw that reading stands still; 0: it does not */
} mqc_input;

/* A SUBSCRIBE or UNSUBSCRIBE without its answer. */
typedef struct mqc_pending {
    uint16_t packet_id; /* 0: free */
    uint16_t count;
    uint8_t answer; /* packet type that ends it */
} mqc_pending;

/* The round-trip time to the server; see round_trip.h. */
typedef struct mqc_round_trip {
    mqc_time sent_at;   /* when the publish that is timed was sent */
    uint32_t mean;      /* smoothed, in 1/64 ms */
    uint16_t packet_id; /* of the publish that is timed; 0: none */
} mqc_round_trip;

/* The low-water mark of received bytes; see rx_low_water.h. */
typedef struct mqc_rx_low_water {
    mqc_time wait_until;    /* the mark holds until then */
    uint16_t low_water;     /* received bytes that are worth waking up for; 0: any */
    uint16_t low_water_max; /* bytes that the server has sent, or may send, without a pause */
    uint16_t skip_batches;  /* batches to be sent before the mark may rise again */
    uint8_t backoff_shift;  /* after a wait without effect, 2^backoff_shift batches are skipped */
} mqc_rx_low_water;

/* Small members first: on a small machine their instructions are shorter there. */
struct mqc_engine {
    uint8_t state; /* mqc_state */
    uint8_t lane_count;
    uint8_t error_packet; /* packet type */
    uint8_t ping;         /* mqc_ping_state */
    bool ping_wanted;     /* one is to be put into the control area */
    bool reports_flow;    /* the caller does, see mqc_report_flow */
    bool answers_held;    /* at the last look at what the server owes, PINGRESP was one of it */
    bool peer_owes;       /* mqc_flow.awaited of the last report */
    bool stream_full;     /* it took less than it was offered */
    bool disconnect_queued;
    bool clean_session;
    int8_t error; /* mqc_result */
    uint16_t next_id;    /* candidate for the next packet id */
    uint16_t free_ids;   /* so many from the candidate on are known to be free */
    uint32_t keep_alive_ms;
    uint32_t ack_timeout_ms;   /* 0: none */
    uint32_t stall_timeout_ms; /* 0: none */
    uint32_t ping_ahead;       /* control bytes up to the end of a PINGREQ that was not sent */

    mqc_round_trip round_trip;
    mqc_rx_low_water low_water;
    mqc_input in;
    mqc_control control;
    mqc_inbox inbox;
    mqc_pubrel_chain pubrel_chain;
    mqc_pending pending[MQC_PENDING_MAX]; /* the oldest first */

    union {
        mqc_time connack_by; /* while MQC_CONNECTING */
        mqc_time ping_at;    /* then: when the unanswered PINGREQ was sent */
    } timed;
    mqc_time look_at;    /* when waits.c looks again for what is missing; MQC_NEVER: need not */
    mqc_time request_at; /* since when the oldest in pending has waited; 0: there is none, or it has
                            not left */
    mqc_time arriving_at; /* when bytes last continued a packet */
    mqc_time last_rx;
    mqc_time last_tx;
    mqc_time moved_at;    /* below the engine bytes arrived, or the peer took some, after that */
    mqc_time quiet_until; /* the QoS 0 packets before it may take that long to arrive */
    mqc_time looked_at;   /* when the flow was last reported, */
    uint32_t moved;       /* bytes that counted then, modulo 2^32 */
    uint32_t ping_mark;   /* the PINGREQ has arrived when so many are delivered */

    mqc_outbox *tx_lane; /* where the last run came from; NULL: control */
    mqc_outbox lanes[MQC_LANES_MAX];
};

#ifdef __cplusplus
}
#endif
#endif
