#ifndef HUB_CERTIFICATES_H
#define HUB_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

#include "state/store.h"

#define HUB_CA_FILE "ca.crt"
#define HUB_CA_KEY  "ca.key"

/**
 * Makes sure that the state directory has a CA (ca.crt, ca.key) and a server certificate of it
 * (server.crt, server.key) that is valid for some more days. The certificate is for localhost,
 * 127.0.0.1, ::1 and the given names and addresses. Existing files that fulfil this are kept. Names
 * that are NULL or "" are ignored.
 */
hub_result hub_certificates_ensure(const hub_store *store, const char *const *names, size_t count,
                                   int64_t now_s, hub_fault *fault);

#endif
