#ifndef HUB_CERTIFICATES_H
#define HUB_CERTIFICATES_H

#include <stdint.h>

#include "store.h"

#define HUB_CA_FILE "ca.crt"

/**
 * Make sure the state directory has a CA (ca.crt, ca.key) and a server certificate
 * from it (server.crt, server.key) for localhost, 127.0.0.1 and ::1 that is good
 * for some days more.  What is there is kept.
 */
hub_result hub_certificates_ensure(const hub_store *store, int64_t now_s, hub_fault *fault);

#endif
