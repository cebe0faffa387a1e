#ifndef HUB_CERTIFICATES_H
#define HUB_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

#include "state/store.h"

#define HUB_CA_FILE "ca.crt"

/**
 * Make sure the state directory has a CA (ca.crt, ca.key) and a server certificate
 * from it (server.crt, server.key) for localhost, 127.0.0.1, ::1 and these names and
 * addresses that is good for some days more.  What is there and has them is kept; names
 * that are NULL or "" do not count.
 */
hub_result hub_certificates_ensure(const hub_store *store, const char *const *names, size_t count,
                                   int64_t now_s, hub_fault *fault);

#endif
