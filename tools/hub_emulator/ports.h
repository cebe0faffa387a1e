#ifndef HUB_PORTS_H
#define HUB_PORTS_H

#include <stdint.h>

#include "result.h"

/** Listening sockets on the loopback addresses. */
typedef struct hub_sockets {
    int v4;
    int v6; /* -1: no IPv6 here */
    uint16_t port;
} hub_sockets;

/**
 * Listen on 127.0.0.1 and, where there is IPv6, on ::1.  Port 0 finds one that is
 * free for both.  option names the option in the error.
 */
hub_result hub_sockets_open(hub_sockets *s, uint16_t port, const char *option, hub_fault *fault);
void hub_sockets_close(hub_sockets *s);

#endif
