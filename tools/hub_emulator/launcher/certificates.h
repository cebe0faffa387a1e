#ifndef HUB_CERTIFICATES_H
#define HUB_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

#include "launcher/key_pair.h"
#include "state/store.h"

#define HUB_CA_FILE "ca.crt"
#define HUB_CA_KEY  "ca.key"

/** What a server certificate must have, in addition to localhost, 127.0.0.1 and ::1. */
typedef struct hub_certificates_plan {
    hub_pair_kind kind;       /* of its key; that of the CA is always RSA */
    const char *const *names; /* names and addresses; NULL and "" are ignored */
    size_t count;
} hub_certificates_plan;

/**
 * Makes sure that the state directory has a CA (ca.crt, ca.key) and a server certificate of it
 * (server.crt, server.key) that fulfils the plan and is valid for some more days. Existing files
 * that do so are kept.
 */
hub_result hub_certificates_ensure(const hub_store *store, const hub_certificates_plan *plan,
                                   int64_t now_s, hub_fault *fault);

#endif
