#ifndef ENGINE_SERVER_H
#define ENGINE_SERVER_H

/* The server that the client of fuzz_engine talks to. It checks each packet strictly, remembers
 * what it has to answer, and answers when the script wants it. */

#include "fuzz.h"
#include "mqtt_core/engine_struct.h"

enum { LANES = 2, MESSAGES = 64, OWED = 64, OUT_MAX = 4, OUT_ID = 256, HANDED_MAX = 256 };

/* A message with topic "t"; the payload is its number, repeated. */
typedef struct message {
    uint8_t lane;
    uint8_t qos;
    uint8_t len;
    bool keep;
    bool ended;
    bool arrived;        /* the server has received it at least once */
    uint16_t unreleased; /* QoS 2: the packet id under which the server knows it */
    unsigned session;    /* number of the session in which it last arrived */
    mqc_time expires;
} message;

/* A packet that the server has not answered yet. */
typedef struct owed {
    uint8_t first; /* first byte of the answer */
    uint16_t packet_id;
    uint8_t filters;
} owed;

/* A QoS 2 message that the server sends. */
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

    uint8_t wire[2048]; /* bytes that the server has received and not yet decoded */
    size_t wire_len;
    uint8_t offered[2048]; /* bytes that mqc_tx_data has returned and that are not consumed yet */
    size_t offered_len;
    uint8_t reply[2048]; /* bytes that the server has sent and the client has not received */
    size_t reply_len;
    owed owed[OWED];
    size_t owed_count;
    bool ready;   /* the server has received CONNECT and answered it */
    bool hostile; /* the server has broken the rules on this connection, so it may get no answer */
    /* The server has broken the rules at some time, so a message may arrive more than once. */
    bool guilty;
    bool session;
    unsigned session_number;
    outgoing out[OUT_MAX];
    /* If true, the server counts its packet ids upwards; otherwise it reuses the same ones. */
    bool counts;
    unsigned out_count;
    uint8_t handed[HANDED_MAX]; /* number of deliveries of each message by the client */
    uint32_t newest[LANES];
    struct {
        uint16_t id;
        uint8_t qos;
    } unacked[16]; /* messages of the server that the client has not acknowledged */
    size_t unacked_count;
} world;

/* Handles the complete packets in w->wire. */
void server_read(world *w);
/* Sends the owed answer number `which`; does nothing if fewer are owed. */
void server_answer(world *w, size_t which);
/* Sends a QoS 1 message. */
void server_message(world *w);
/* Sends a new QoS 2 message, or repeats one. */
void server_qos2_message(world *w);
/* Sends bytes that may not form a valid packet. */
void server_breaks_the_rules(world *w);

#endif
