#ifndef PLAT_POSIX_RESOLVER_H
#define PLAT_POSIX_RESOLVER_H

/**
 * @file
 * Looks up the addresses of host names without blocking.  getaddrinfo(3) blocks until the name
 * servers answer, so it runs on a few helper threads that all streams of the process share.  The
 * threads exist only while there is a name to look up.
 */

#include <stdbool.h>

#include "platform/result.h"
#include "posix/address.h"

#define PLAT_LOOKUP_ADDRESSES 8 /* most addresses of a name; further ones are ignored */
#define PLAT_LOOKUP_THREADS   4 /* most threads; further look-ups wait in a queue */

/** A look-up. */
typedef struct plat_lookup plat_lookup;

/**
 * Starts a look-up.  Numeric addresses and "localhost" are done immediately.
 * @retval PLAT_ERR_ARG     the text is longer than a host name may be
 * @retval PLAT_ERR_MEMORY  no memory, descriptor or thread is left
 */
plat_result plat_lookup_start(const char *host, plat_lookup **out);

/**
 * Returns a descriptor that becomes readable when the look-up is done, or -1 if it is done already.
 */
int plat_lookup_fd(const plat_lookup *l);

/** Returns whether the look-up is done. */
bool plat_lookup_is_done(plat_lookup *l);

/**
 * Returns the number of addresses of a look-up that is done. If it is 0, the look-up has failed,
 * and *why is the cause, a static text.
 */
size_t plat_lookup_count(const plat_lookup *l, const char **why);

/** Returns one of these addresses, without a port. */
const plat_address *plat_lookup_at(const plat_lookup *l, size_t index);

/**
 * Returns the place where the caller keeps the socket with which it tries that address; it is -1 at
 * first. The caller closes the socket before it releases the look-up.
 */
int *plat_lookup_socket(plat_lookup *l, size_t index);

/**
 * Ends a look-up at any time, without waiting for the helper thread.
 * @param l  a look-up, or NULL
 * @return its descriptor, -1: none.  It belongs to the caller now, who closes it once it is no
 * longer watched.
 */
int plat_lookup_release(plat_lookup *l);

#endif
