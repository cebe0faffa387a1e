#ifndef PLAT_WS_INPUT_H
#define PLAT_WS_INPUT_H

/**
 * @file
 * Frames that are received. wslay parses them; this file checks what wslay leaves to its caller,
 * returns the content of binary messages, and collects control frames, which may come between the
 * fragments of a message.
 */

#include <stdbool.h>

#include <wslay/wslay.h>

#include "platform/stream.h"
#include "websocket/ws_output.h"

/** Largest content of a received frame in bytes: the longest packet of MQTT. */
#define PLAT_WS_RECEIVED_MAX 268435460u

/** What is received. Only ws_input.c writes its members. */
typedef struct plat_ws_input {
    plat_stream *lower;    /* not owned */
    plat_ws_output *pongs; /* answers pings; not owned */
    wslay_frame_context_ptr frames;
    const uint8_t *early; /* received bytes that are read before those of lower; not owned */
    size_t early_len;
    const uint8_t *left; /* content in wslay's memory that the caller had no room for */
    size_t left_len;
    plat_result below;  /* the last result of lower, while reading */
    unsigned reads;     /* reads from lower during one call */
    bool below_empty;   /* the last of them returned less than there was room for */
    bool content;       /* this call has content already, so it need not read more */
    bool more;          /* the last call ended although lower may have had more */
    bool in_message;    /* the next data frame must be a continuation */
    uint64_t frame_got; /* content of the current frame that was received */
    bool in_frame;      /* the header of the current frame was checked */
    uint8_t control_len;
    uint8_t control[PLAT_WS_CONTROL_MAX]; /* content of the current control frame */
    plat_result ended;                    /* not PLAT_OK: the reason why nothing more is received */
    const char *fault;                    /* PLAT_ERR_WEBSOCKET: what the server has done */
    bool closed;                          /* PLAT_ERR_IO: the server has sent a close frame */
    uint16_t code; /* the code of that frame; after a fault: the code to answer with */
} plat_ws_input;

/**
 * Begins a connection.
 * @param early  bytes that were received already, valid until plat_ws_input_drop or until early_len
 *               is 0
 * @return PLAT_ERR_MEMORY: no memory is left
 */
plat_result plat_ws_input_init(plat_ws_input *in, plat_stream *lower, plat_ws_output *pongs,
                               const uint8_t *early, size_t early_len);

/** Frees everything. It may be called again, and for a struct of zeros. */
void plat_ws_input_drop(plat_ws_input *in);

/**
 * As plat_stream_ops.recv. PLAT_ERR_WEBSOCKET means that the server has violated the protocol; see
 * fault and code. PLAT_ERR_IO and `closed` mean that it has sent a close frame. Other results are
 * those of the stream below.
 */
plat_result plat_ws_input_recv(plat_ws_input *in, uint8_t *buf, size_t cap, size_t *got);

/** Returns whether plat_ws_input_recv has something to return although lower may have nothing. */
bool plat_ws_input_has_more(const plat_ws_input *in);

#ifndef NDEBUG
/** Returns whether the members agree with each other. */
bool plat_ws_input_valid(const plat_ws_input *in);
#endif

#endif
