#ifndef ENGINE_SERVER_H
#define ENGINE_SERVER_H

/*
 * The server that fuzz_engine's client talks to. It reads strictly, remembers what it has to
 * answer, and answers when the script wants it.
 */

#include "fuzz.h"
#include "mqtt_core/engine_struct.h"

enum { LANES = 2, MESSAGES = 64, OWED = 64, OUT_MAX = 4, OUT_ID = 256, HANDED_MAX = 256 };

/* Topic "t", payload: number of the message, then its copies. */
typedef struct message {
    uint8_t lane;
    uint8_t qos;
    uint8_t len;
    bool keep;
    bool ended;
    bool arrived;        /* at the server, at least once */
    uint16_t unreleased; /* QoS 2: the server knows it under this id */
    unsigned session;    /* in which it arrived last */
    mqc_time expires;
} message;

/* A packet that the server has not answered yet. */
typedef struct owed {
    uint8_t first; /* of the answer */
    uint16_t packet_id;
    uint8_t filters;
} owed;

/* A QoS 2 message of the server. */
typedef enum out_state { OUT_FREE = 0, OUT_PUBLISHED, OUT_RELEASED } out_state;

typedef struct outgoing {
    out_state state;
    uint16_t id;
    uint8_t number;
} outgoing;

typedef struct world {
    fuzz_input in;
    mqc_engine e;
    mqc_time now;
    mqc_memory memory;

    message messages[MESSAGES];
    uint32_t accepted;
    uint32_t open;

    uint8_t wire[2048]; /* bytes that the server has not yet understood */
    size_t wire_len;
    uint8_t offered[2048]; /* the bytes that mqc_tx_data returned and that were not consumed yet */
    size_t offered_len;
    uint8_t reply[2048]; /* bytes on their way to the client */
    size_t reply_len;
    owed owed[OWED];
    size_t owed_count;
    bool ready;   /* the server has seen CONNECT and answered it */
    bool hostile; /* it broke the rules: it cannot expect any answer, */
    bool guilty;  /* nor, having done so once, that anything arrives once */
    bool session;
    unsigned session_number;
    outgoing out[OUT_MAX];
    bool counts; /* its ids on, or takes the same again */
    unsigned out_count;
    uint8_t handed[HANDED_MAX]; /* how often the client handed them out */
    uint32_t newest[LANES];
    struct {
        uint16_t id;
        uint8_t qos;
    } unacked[16]; /* messages of the server that the client keeps */
    size_t unacked_count;
} world;

/* Handles the whole packets of w->wire. */
void server_read(world *w);
/* Sends the answer number `which` of those that it owes; nothing if it does not owe that many. */
void server_answer(world *w, size_t which);
/* Sends a QoS 1 message. */
void server_message(world *w);
/* Sends a QoS 2 message, or repeats one. */
void server_qos2_message(world *w);
/* Sends bytes that need not be a packet. */
void server_breaks_the_rules(world *w);

#endif
