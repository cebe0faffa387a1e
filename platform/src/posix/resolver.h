#ifndef PLAT_POSIX_RESOLVER_H
#define PLAT_POSIX_RESOLVER_H

/**
 * @file
 * Host names to addresses, never blocking.  getaddrinfo(3) blocks for as long as
 * the name servers like, so it runs on a few helper threads that all streams of
 * the process share; they live only while there is something to look up.
 */

#include <stdbool.h>

#include "platform/result.h"
#include "posix/address.h"

#define PLAT_LOOKUP_ADDRESSES 8 /* a name with more of them is cut */
#define PLAT_LOOKUP_THREADS   4 /* more lookups than these wait in a queue */

typedef struct plat_lookup plat_lookup;

/** Numeric addresses and "localhost" are done at once.  PLAT_ERR_ARG: longer than a host name may
 * be. */
plat_result plat_lookup_start(const char *host, plat_lookup **out);

/** Becomes readable when done; -1 when there is nothing to wait for. */
int plat_lookup_fd(const plat_lookup *l);

bool plat_lookup_is_done(plat_lookup *l);

/** When done: how many addresses there are; 0 with the cause in *why, static text. */
size_t plat_lookup_count(const plat_lookup *l, const char **why);
const plat_address *plat_lookup_at(const plat_lookup *l, size_t index);

/**
 * At any time; never waits for the helper thread.  Takes NULL.  Returns the descriptor, -1 without
 * one: it is the caller's from now on, to be closed when nobody watches it any more.
 */
int plat_lookup_release(plat_lookup *l);

#endif
