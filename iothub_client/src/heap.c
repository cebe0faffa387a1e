#include <stdlib.h>

#include "memory.h"

/* Everything a hub may send: a 256 KB message for a module's input, with its topic. */
enum { RX_SIZE = 256 * 1024 + 65535 + 16 };
/* Four of the largest messages a hub takes, or some thousand small ones. */
enum { TX_SIZE = 4 * (256 * 1024 + 65535 + 16) };
/* A method answer of 128 KB. */
enum { REQUEST_SIZE = 128 * 1024 + 1024 };

static size_t or_default(size_t size, size_t fallback)
{
    return size != 0 ? size : fallback;
}

static iothub_client *make(const char *connection_string, const iothub_options *o, size_t len,
                           size_t *missing, iothub_error *error)
{
    struct {
        iothub_client client;
        unsigned char arena[];
    } *block = malloc(sizeof *block + len);

    *missing = 0;
    if (block == NULL) {
        iothub_fail(error, IOTHUB_ERR_MEMORY, "no heap left for a client");
        return NULL;
    }
    if (client_init(&block->client, connection_string, o, block->arena, len, missing, error) !=
        IOTHUB_OK) {
        free(block);
        return NULL;
    }
    return &block->client;
}

/* So that no sum of them wraps. */
static bool is_sane(const iothub_options *o)
{
    const size_t most = SIZE_MAX / 16;

    return o->rx_size <= most && o->tx_size <= most && o->request_size <= most;
}

static iothub_client *make_fitting(const char *connection_string, const iothub_options *o,
                                   iothub_error *error)
{
    const size_t len = IOTHUB_MEMORY_SIZE(o->rx_size, o->tx_size, o->request_size);
    size_t missing;

    iothub_client *c = make(connection_string, o, len, &missing, error);
    /* Names longer than usual.  The next block may lie otherwise, and need other padding. */
    return missing == 0 ? c : make(connection_string, o, len + missing + 15, &missing, error);
}

iothub_client *iothub_new(const char *connection_string, const iothub_options *o,
                          iothub_error *error)
{
    iothub_options sized;
    iothub_error why;

    if (connection_string == NULL || o == NULL) {
        iothub_fail(error, IOTHUB_ERR_ARG,
                    o == NULL ? "options: is NULL" : "connection string: is NULL");
        return NULL;
    }
    iothub_options_init(&sized);
    memcpy(&sized, o, o->struct_size < sizeof sized ? o->struct_size : sizeof sized);
    sized.struct_size = sizeof sized;
    sized.rx_size = or_default(sized.rx_size, RX_SIZE);
    sized.tx_size = or_default(sized.tx_size, TX_SIZE);
    sized.request_size = or_default(sized.request_size, REQUEST_SIZE);
    if (!is_sane(&sized)) {
        iothub_fail(error, IOTHUB_ERR_MEMORY, "options: rx_size, tx_size or request_size");
        return NULL;
    }

    iothub_client *c = make_fitting(connection_string, &sized, &why);
    if (c == NULL && error != NULL) {
        *error = why;
    }
    return c;
}

void iothub_free(iothub_client *c)
{
    if (c != NULL) {
        iothub_deinit(c);
        free(c);
    }
}
