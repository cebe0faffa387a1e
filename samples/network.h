#ifndef SAMPLE_NETWORK_H
#define SAMPLE_NETWORK_H

/** @file How a sample reaches the hub: over TLS or WebSocket, directly or through a proxy. */

#include <iothub/client.h>

/** What the help of a sample says about the environment that sample_network reads. */
extern const char sample_network_help[];

/**
 * Sets the platform, and the transport and the proxy that IOTHUB_TRANSPORT and IOTHUB_PROXY name.
 * Exits with 2 if IOTHUB_TRANSPORT is wrong.
 */
void sample_network(iothub_options *options);

#endif
