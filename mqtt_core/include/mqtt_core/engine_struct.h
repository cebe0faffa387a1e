#ifndef MQC_ENGINE_STRUCT_H
#define MQC_ENGINE_STRUCT_H

/**
 * @file
 * The complete types of engine.h, for callers that place an engine in memory of their own.
 *
 * The members are private.  They change with every version, so a caller must be compiled again
 * with each new version.  An initialised engine must not be moved or copied, since it contains
 * pointers to itself.
 */

#include "mqtt_core/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The largest number of SUBSCRIBE and UNSUBSCRIBE packets without an answer. */
#define MQC_PENDING_MAX 4

/** A publish in the ring of a lane. */
struct mqc_entry {
    void *tag; /**< Chosen by the caller, returned in mqc_done. */
    /** Which of these members is used depends on the state. */
    union {
        mqc_time expires; /**< When a publish expires; 0: never. */
        /**
         * After PUBREC was received: the next entry in mqc_pubrel_chain. After the end: the next
         * entry to be reported.
         */
        mqc_entry *behind;
    } u;
    uint32_t id;        /**< Chosen by the caller, returned in mqc_done. */
    uint32_t len;       /**< Bytes of the packet in the ring. */
    uint16_t packet_id; /**< 0 for QoS 0. */
    uint8_t state;      /**< An mqc_entry_state. */
    uint8_t flags;      /**< A combination of mqc_entry_flag. */
    uint8_t outcome;    /**< An mqc_outcome, once the publish has ended. */
    uint8_t kind;       /**< Chosen by the caller, returned in mqc_done. */
    uint8_t lane;       /**< The lane of an entry in mqc_pubrel_chain. */
};

/** A message with QoS that was delivered to the application. */
struct mqc_inbound {
    uint16_t packet_id; /**< The server's packet id. */
    uint8_t qos;        /**< 1 or 2. */
    bool acked;         /**< The application has called mqc_ack. */
};

/** How many publishes of a lane may be sent and not finished; see window.h. */
typedef struct mqc_window {
    /** When a stopped lane may use any free slot; UINT64_MAX: not decided yet. */
    mqc_time go_on_at;
    uint32_t used;      /**< Slots in use: granted, and neither finished nor given back. */
    uint32_t in_flight; /**< Publishes that were sent and are not finished. */
    uint16_t size;      /**< The number of slots. */
    uint16_t resume_at; /**< A stopped lane sends again when no more slots than this are in use. */
    bool stopped;       /**< The window was full, and free slots are collected for a batch. */
} mqc_window;

/** When publishes of a lane expire; see expiry.h. */
typedef struct mqc_expiry {
    mqc_time next; /**< No publish expires before this time. */
    /**
     * The earliest expiry of each group of entries, then of each group of groups. NULL: there is no
     * memory for groups.
     */
    mqc_time *groups;
} mqc_expiry;

/**
 * A lane; see outbox_entry.h.  The positions send and grant count entries from the oldest one:
 * 0 <= send <= grant <= count.
 */
typedef struct mqc_outbox {
    uint8_t number;    /**< The lane's index. */
    bool held;         /**< Set by mqc_hold: nothing new is sent. */
    bool overdue;      /**< A publish has expired, or was answered, while it was being sent. */
    bool owed;         /**< A publish with QoS waits for its answer. */
    bool id_passed;    /**< The search for a free id stepped over an id of this lane; see ids.c. */
    uint16_t large_kb; /**< Size of the largest QoS 0 packet of the last run; 0: below 1 KB. */

    mqc_time oldest_at; /**< If owed is set: since when the oldest entry has been the oldest. */

    uint8_t *ring;    /**< Encoded packets, circular. */
    size_t ring_len;  /**< Bytes of the ring. */
    size_t ring_head; /**< Offset of the first byte of the oldest entry. */
    size_t ring_used; /**< Number of bytes in use. */

    mqc_entry *entries;   /**< One entry for each packet in the ring, circular. */
    uint32_t entries_len; /**< Size of that table. */
    uint32_t head;        /**< Index of the oldest entry. */
    uint32_t count;       /**< Entries in use. */

    uint32_t send;        /**< Position of the next entry to be sent. */
    size_t send_done;     /**< Bytes of that entry that were sent. */
    size_t send_at;       /**< Offset in the ring of the first byte that was not sent. */
    size_t granted_bytes; /**< Bytes from send_at to the end of what may be sent. */
    size_t offered; /**< Number of bytes that mqc_tx_data returned and that are not consumed yet. */

    uint32_t grant; /**< Entries before this position may be sent. */
    /** While outcomes are unreported: number of entries at the head whose space is already free. */
    uint32_t freed;
    /** While outcomes are unreported: no entry before this position can be ended by mqc_drop. */
    uint32_t undroppable;

    uint32_t recent_at;  /**< Position of the entry `recent`. */
    mqc_entry *ended;    /**< List of the entries with an unreported outcome, oldest first. */
    mqc_entry *recent;   /**< The entry of that list that ended last; NULL: it was reported. */
    uint32_t unreported; /**< Length of that list. */
    uint32_t live; /**< Number of publishes that were accepted and whose end was not reported. */

    mqc_window window; /**< How many publishes may be in flight. */
    mqc_expiry expiry; /**< When they expire. */
} mqc_outbox;

/** Control packets that are to be sent, one after the other; see control.h. */
typedef struct mqc_control {
    uint8_t *buf; /**< The caller's memory. */
    size_t cap;   /**< Size of the buffer. */
    size_t start; /**< Offset of the first byte that was not sent yet. */
    size_t end;   /**< Offset behind the last byte. */
} mqc_control;

/** Messages with QoS that were delivered; inbox.h shows the order of the table. */
typedef struct mqc_inbox {
    mqc_inbound *table; /**< Circular. */
    uint32_t cap;       /**< Size of the table. */
    uint32_t head;      /**< Index of the first message. */
    uint32_t count;     /**< Messages in the table. */
    uint32_t released;  /**< Messages at the head with a PUBREL whose PUBCOMP is not encoded yet. */
    uint32_t received;  /**< Messages after these that wait for the server. */
    uint32_t acked;     /**< Messages after these whose PUBACK or PUBREC is not encoded yet. */
} mqc_inbox;

/** QoS 2 publishes whose PUBREC was received, in the order of the PUBRECs; see pubrel_chain.h. */
typedef struct mqc_pubrel_chain {
    mqc_entry *first; /**< The oldest. */
    mqc_entry *last;  /**< The newest. */
    mqc_entry *due; /**< The first publish whose PUBREL is not encoded yet; NULL: there is none. */
} mqc_pubrel_chain;

/** The fixed header of a packet. */
typedef struct mqc_header {
    uint8_t type;       /**< An mqc_packet_type. */
    uint8_t flags;      /**< The lower four bits of the first byte. */
    uint8_t len;        /**< Bytes of the header itself. */
    uint32_t remaining; /**< Bytes that follow the header. */
} mqc_header;

/** Received bytes that have not been decoded, and the state of reading; see rx.h. */
typedef struct mqc_input {
    uint8_t *buf;      /**< The caller's memory. */
    size_t cap;        /**< Size of the buffer. */
    size_t start;      /**< Offset of the first byte that was not decoded. */
    size_t end;        /**< Offset behind the last byte that was received. */
    size_t skip;       /**< Bytes of an oversize packet that are still to be skipped. */
    uint32_t after_id; /**< Number of payload bytes after the packet id of an oversize packet. */
    mqc_header header; /**< Header of the packet at start. */
    uint8_t phase;     /**< An mqc_input_phase. */
    uint8_t flow;      /**< An mqc_input_flow. */
    bool unread;       /**< There may be an event in the received bytes. */
    /**
     * A message was skipped because the inbox had no slot for it; a new connection will make the
     * server send it again.
     */
    bool message_skipped;
} mqc_input;

/** A SUBSCRIBE or UNSUBSCRIBE without its answer. */
typedef struct mqc_pending {
    uint16_t packet_id; /**< 0: this element is free. */
    uint16_t count;     /**< The number of topic filters. */
    uint8_t answer;     /**< The packet type of the answer. */
} mqc_pending;

/** The requests of a connection; see connect_subscribe.h. */
typedef struct mqc_requests {
    mqc_pending pending[MQC_PENDING_MAX]; /**< The requests without an answer, the oldest first. */
    bool clean_session;                   /**< CONNECT asked for a clean session. */
} mqc_requests;

/** The round-trip time to the server; see round_trip.h. */
typedef struct mqc_round_trip {
    mqc_time sent_at;   /**< When the publish that is timed was sent. */
    uint32_t mean;      /**< The smoothed mean, in 1/64 ms. */
    uint16_t packet_id; /**< Packet id of the publish that is timed; 0: none is. */
} mqc_round_trip;

/** The low-water mark of received bytes; see rx_low_water.h. */
typedef struct mqc_rx_low_water {
    mqc_time wait_until;    /**< The mark is valid until this time. */
    uint16_t low_water;     /**< Received bytes that are worth waking up for; 0: any. */
    uint16_t low_water_max; /**< Bytes that the server sends, or may send, without a pause. */
    uint16_t skip_batches;  /**< Batches to be sent before the mark may rise again. */
    uint8_t backoff_shift; /**< After a wait without effect, 2^backoff_shift batches are skipped. */
} mqc_rx_low_water;

/** The state of the connection; see state.h. */
typedef struct mqc_connection {
    uint8_t state;        /**< An mqc_state. */
    uint8_t error_packet; /**< The packet type that belongs to the error; 0: none. */
    int8_t error;         /**< The latched error, an mqc_result. */
    bool closing;         /**< DISCONNECT was encoded, so nothing may follow it. */
} mqc_connection;

/** Packet ids; see ids.h. */
typedef struct mqc_ids {
    uint16_t next;       /**< The candidate for the next packet id. */
    uint16_t free_count; /**< Number of ids, from the candidate on, that are known to be free. */
} mqc_ids;

/** Keep-alive; see keep_alive.h. */
typedef struct mqc_keep_alive {
    uint8_t ping;         /**< An mqc_ping_state. */
    bool ping_wanted;     /**< A PINGREQ must be encoded. */
    bool reports_flow;    /**< The caller calls mqc_report_flow. */
    bool peer_owes;       /**< mqc_flow.awaited of the last report. */
    bool stream_full;     /**< The stream took fewer bytes than it was offered. */
    uint32_t interval_ms; /**< The keep-alive; 0: off. */
    uint32_t ping_ahead;  /**< Control bytes up to the end of a PINGREQ that was not sent. */
    /** Number of bytes that counted as progress at the last report, modulo 2^32. */
    uint32_t moved;
    uint32_t ping_mark; /**< The PINGREQ has arrived when this number of bytes was delivered. */
    /** A time whose meaning depends on the state of the connection. */
    union {
        mqc_time connack_by; /**< Time at which CONNACK is overdue; used while MQC_CONNECTING. */
        mqc_time ping_at; /**< Time at which the unanswered PINGREQ was sent; used after CONNACK. */
    } timed;
    mqc_time last_rx;  /**< When bytes were last received. */
    mqc_time last_tx;  /**< When bytes were last sent. */
    mqc_time moved_at; /**< Bytes were last transferred below the engine at this time or later. */
    /** QoS 0 packets before the PINGREQ may take until this time to arrive. */
    mqc_time quiet_until;
    mqc_time looked_at; /**< When the flow was last reported. */
} mqc_keep_alive;

/** Limits for missing answers and for stalled reading; see waits.h. */
typedef struct mqc_waits {
    uint32_t ack_timeout_ms;   /**< How long an answer may take; 0: there is no limit. */
    uint32_t stall_timeout_ms; /**< How long reading may be stalled; 0: there is no limit. */
    mqc_time look_at;          /**< When to check next; UINT64_MAX: no answer is expected. */
    /** Since when the oldest request waits for its answer; 0: there is none, or it was not sent. */
    mqc_time request_at;
    mqc_time arriving_at; /**< When received bytes last continued a packet. */
    mqc_time stalled_at;  /**< When mqc_tick first noticed that reading is stalled; 0: it is not. */
    bool answers_held;    /**< At the last check, PINGRESP was one of the missing answers. */
} mqc_waits;

/** Where the next bytes come from; see tx.h. */
typedef struct mqc_tx {
    mqc_outbox *lane; /**< The lane of the last run; NULL: the control area. */
} mqc_tx;

/**
 * The engine. The members that are used most come first, because the instructions that access them
 * are shorter.
 */
struct mqc_engine {
    mqc_connection connection;       /**< State and latched error. */
    mqc_ids ids;                     /**< Packet ids. */
    mqc_requests requests;           /**< CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT. */
    uint8_t lane_count;              /**< Lanes in use. */
    mqc_tx tx;                       /**< The source of the bytes that are being sent. */
    mqc_control control;             /**< Control packets to be sent. */
    mqc_keep_alive keep_alive;       /**< Sends PINGREQ and detects a lost peer. */
    mqc_waits waits;                 /**< Detects answers that are overdue. */
    mqc_rx_low_water low_water;      /**< How many received bytes are worth waking up for. */
    mqc_input in;                    /**< Received bytes. */
    mqc_inbox inbox;                 /**< Messages from the server. */
    mqc_round_trip round_trip;       /**< Measures the time to the server and back. */
    mqc_pubrel_chain pubrel_chain;   /**< QoS 2 publishes whose PUBREL must be sent. */
    mqc_outbox lanes[MQC_LANES_MAX]; /**< Publishes; unused lanes are zero. */
};

#ifdef __cplusplus
}
#endif
#endif
