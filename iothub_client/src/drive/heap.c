#include <stdlib.h>

#include "context/options_check.h"
#include "drive/api.h"
#include "drive/client.h"

/* Holds the largest packet of a hub: a message of 256 KB for an input of a module, with its
 * topic. */
enum { RX_SIZE = 256 * 1024 + 65535 + 16 };
/* Room for four of the largest messages, or for about a thousand small ones. */
enum { TX_SIZE = 4 * (256 * 1024 + 65535 + 16) };
/* Holds the largest request: a method answer of 128 KB. */
enum { REQUEST_SIZE = 128 * 1024 + 1024 };

static size_t or_default(size_t size, size_t fallback)
{
    return size != 0 ? size : fallback;
}

static iothub_client *make(const char *connection_string, const iothub_options *o, size_t len,
                           size_t *missing, iothub_error *error)
{
    client_place place = { .memory = malloc(len), .len = len, .from_heap = true };

    *missing = 0;
    if (place.memory == NULL) {
        iothub_fail(error, IOTHUB_ERR_MEMORY, "no heap left for a client");
        return NULL;
    }
    iothub_client *c = client_init(&place, connection_string, o, error);
    if (c == NULL) {
        free(place.memory);
        *missing = place.missing;
    }
    return c;
}

static iothub_client *make_fitting(const char *connection_string, const iothub_options *o,
                                   iothub_error *error)
{
    const size_t len = IOTHUB_MEMORY_SIZE(o->rx_size, o->tx_size, o->request_size);
    size_t missing;

    iothub_client *c = make(connection_string, o, len, &missing, error);
    /* The names are longer than usual, so a larger block is allocated. It may have another
     * alignment and need other padding. */
    return missing == 0 ? c : make(connection_string, o, len + missing + 15, &missing, error);
}

iothub_client *iothub_new(const char *connection_string, const iothub_options *o,
                          iothub_error *error)
{
    iothub_options sized;
    iothub_error why;

    if (connection_string == NULL) {
        iothub_fail(error, IOTHUB_ERR_ARG, "connection string: is NULL");
        return NULL;
    }
    if (options_take(&sized, o, error) != IOTHUB_OK) {
        return NULL;
    }
    sized.rx_size = or_default(sized.rx_size, RX_SIZE);
    sized.tx_size = or_default(sized.tx_size, TX_SIZE);
    sized.request_size = or_default(sized.request_size, REQUEST_SIZE);
    if (memory_check_sizes(&sized, error) != IOTHUB_OK) {
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
    if (c == NULL) {
        return;
    }
    if (c->magic == IOTHUB_CLIENT_MAGIC && !api_end(c)) {
        return;
    }
    if (c->magic ==
        IOTHUB_ENDED_MAGIC) { /* otherwise the memory belongs to the caller of iothub_init */
        free(c->memory);
    }
}
