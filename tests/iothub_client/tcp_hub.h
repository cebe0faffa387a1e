#ifndef TEST_TCP_HUB_H
#define TEST_TCP_HUB_H

/**
 * @file
 * The fake hub behind a real socket of 127.0.0.1, without TLS, on a thread of its own, and a
 * platform whose clients connect to it.
 */

#include "platform/platform.h"

typedef struct tcp_hub tcp_hub;

tcp_hub *tcp_hub_new(void);
uint16_t tcp_hub_port(const tcp_hub *h);

/** Closes every open connection, and returns when that is done. */
void tcp_hub_drop(tcp_hub *h);

void tcp_hub_free(tcp_hub *h);

/** Returns plat_posix with one difference: its streams are plain TCP. */
const plat_platform *tcp_hub_platform(void);

#endif
