#ifndef NETWORK_H
#define NETWORK_H

#include <platform/lwip_net.h>

/** @file The network of the board: lwIP over the LAN9118, addresses by DHCP and IPv6
 * autoconfiguration. */

/** Starts the network and waits for an IPv4 address. Returns NULL if there is none in time. */
const plat_net *network_start(uint32_t patience_ms);

/** Waits for an IPv6 address that a router gives. Returns false if there is none in time. */
bool network_wait_ip6(uint32_t patience_ms);

#endif
