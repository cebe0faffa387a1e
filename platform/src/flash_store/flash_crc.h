#ifndef FLASH_CRC_H
#define FLASH_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Continues a CRC-32 (the one of IEEE 802.3) with more bytes.  The first call passes 0. */
uint32_t flash_crc(uint32_t crc, const void *data, size_t len);

#endif
