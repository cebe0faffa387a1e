#ifndef TWO_MESSAGES_H
#define TWO_MESSAGES_H

#include <platform/platform.h>

/**
 * @file
 * Connects to an MQTT broker without TLS, subscribes, and publishes one message with QoS 0 and one
 * with QoS 1 that both come back. Prints what happens. Needs nothing but a clock and a network.
 */

/** Returns true if both messages came back and the second one was acknowledged. */
bool two_messages(const plat_platform *platform, const char *host, uint16_t port);

#endif
