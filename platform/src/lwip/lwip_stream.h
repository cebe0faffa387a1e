#ifndef LWIP_STREAM_H
#define LWIP_STREAM_H

#include <lwip/ip_addr.h>

#include "lwip/lwip_lookup.h"
#include "platform/lwip_net.h"

struct tcp_pcb;
struct pbuf;

typedef enum lwip_stream_state {
    LWIP_STREAM_CLOSED = 0,
    LWIP_STREAM_RESOLVING,
    LWIP_STREAM_CONNECTING,
    LWIP_STREAM_OPEN,   /* also after the peer's FIN, see ended */
    LWIP_STREAM_FAILED, /* result and cause say why */
} lwip_stream_state;

/* A TCP connection by lwIP's raw API. */
typedef struct lwip_stream {
    plat_stream base;
    plat_lwip_net *net;
    lwip_stream_state state;
    bool ended;          /* the peer has sent its FIN */
    bool second_version; /* the address of the other IP version is being tried */
    uint16_t port;
    uint16_t offset;    /* bytes of the first pbuf that recv has returned */
    plat_result result; /* FAILED: the result of each call */
    plat_stage stage;   /* FAILED: what has failed */
    const char *cause;  /* FAILED: for detail */
    const char *host;
    lwip_lookup *lookup;  /* RESOLVING, otherwise NULL */
    struct tcp_pcb *pcb;  /* CONNECTING and OPEN, otherwise NULL */
    struct pbuf *waiting; /* received and not returned by recv */
    ip_addr_t address;
    uint64_t received;
    uint64_t sent;
    uint64_t delivered;
} lwip_stream;

/* Makes a closed stream. */
plat_stream *lwip_stream_init(lwip_stream *s, plat_lwip_net *net);

#endif
