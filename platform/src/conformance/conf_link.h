#ifndef CONF_LINK_H
#define CONF_LINK_H

/* A stream of the port to the peer, and what was seen of it. */

#include "conformance/conf_run.h"

struct conf_link {
    struct conf_run *run;
    plat_stream_storage storage;
    plat_stream *stream; /* NULL: it could not be made */
    uint64_t slowest_ms; /* longest call of open, progress, recv and send */
    bool mute_poll;      /* poll has reported nothing to wait for, so that a sleep would not end */
    bool wrong_count; /* recv or send has returned PLAT_OK with a count of 0 or above its limit */
    bool overflow;    /* recv has written behind its buffer */
    plat_stage stage; /* that progress has reported last */
};

/* Makes a closed stream as the peer's configuration says. */
plat_result conf_link_init(struct conf_link *l, struct conf_run *run);
void conf_link_deinit(struct conf_link *l);

/* Opens the stream and waits until that has succeeded or failed. PLAT_WOULD_BLOCK: neither. */
plat_result conf_link_open(struct conf_link *l, const char *host, uint16_t port);

/* Opens the stream to the peer and sends an order, such as "send" with a number. */
plat_result conf_link_order(struct conf_link *l, const char *order, uint32_t number);

/* One call of recv with a buffer of cap bytes, at most CONF_BYTES - 1. The bytes are in run->in. */
plat_result conf_link_recv_once(struct conf_link *l, size_t cap, size_t *got);

/* Receives up to cap bytes, and waits for them. PLAT_WOULD_BLOCK: no byte has arrived within
 * CONF_PATIENCE_MS. */
plat_result conf_link_recv(struct conf_link *l, size_t cap, size_t *got);

/* Sends all bytes, and waits while the stream takes none. */
plat_result conf_link_send(struct conf_link *l, const uint8_t *bytes, size_t len);

/* Sleeps as the client does: poll, then plat_net.wait. */
void conf_link_sleep(struct conf_link *l, bool want_send, uint32_t most_ms);

#endif
