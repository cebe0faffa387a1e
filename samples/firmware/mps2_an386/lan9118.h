#ifndef LAN9118_H
#define LAN9118_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** @file The Ethernet controller SMSC LAN9118, by polling. Its registers are 32 bits wide. */

/** Resets the controller and enables it. Returns false if there is none, or it does not answer. */
bool lan9118_init(uint8_t address[6]);

/** Returns the length of the oldest received frame without its check sum; 0: there is none. Damaged
 * frames are discarded. After a length above 0, lan9118_read must be called. */
size_t lan9118_received(void);

/** Reads the frame whose length lan9118_received has returned. out NULL discards it. */
void lan9118_read(uint32_t *out, size_t len);

/** Sends a frame. data is aligned to 4 bytes. Returns false if the controller has no room. */
bool lan9118_send(const uint32_t *data, size_t len);

#endif
