#ifndef LWIP_LOOKUP_H
#define LWIP_LOOKUP_H

#include <stdbool.h>

#include <lwip/ip_addr.h>

#include "platform/result.h"

/* Name look-ups. lwIP cannot cancel one, so its answer goes to a slot, which outlives the stream
 * that asked. */
typedef struct lwip_lookup lwip_lookup;

/* Is called when a look-up has ended; address is NULL if the name does not resolve. */
typedef void (*lwip_lookup_done)(void *user, const ip_addr_t *address);

/* Begins a look-up; type is one of LWIP_DNS_ADDRTYPE_x. Returns PLAT_OK if *address is known
 * immediately, PLAT_WOULD_BLOCK if done will be called, or PLAT_ERR_ARG or PLAT_ERR_MEMORY. */
plat_result lwip_lookup_begin(const char *host, uint8_t type, lwip_lookup_done done, void *user,
                              ip_addr_t *address, lwip_lookup **out);

/* Forgets a look-up, so that done is not called any more. */
void lwip_lookup_forget(lwip_lookup *lookup);

#endif
