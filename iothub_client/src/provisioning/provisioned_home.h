#ifndef IOTHUB_PROVISIONED_HOME_H
#define IOTHUB_PROVISIONED_HOME_H

/**
 * @file
 * The home of a client that the Device Provisioning Service assigns to a hub: decides when the
 * service is asked, and gives the client its names.
 */

#include "connection/home.h"
#include "provisioning/exchange.h"
#include "telemetry/telemetry_limits.h"

/** What the next attempt of the client begins with. */
typedef enum home_next {
    HOME_ASK = 0, /* the service is asked */
    HOME_CONNECT  /* the hub is known */
} home_next;

typedef struct provisioned_home {
    iothub_home base;
    iothub_context *client; /* NULL: not attached yet */
    telemetry_limits *telemetry;
    iothub_exchange *exchange;
    void (*release)(void *memory); /* frees memory; NULL: it is the caller's */
    void *memory;
    size_t memory_len;
    char *host;      /* the client's copy of its names, */
    char *device_id; /* each with room for the longest one */
    bool known;      /* the names are those of an assignment */
    bool unreported; /* it is from the cache, and the application does not know it yet */
    home_next next;
    uint32_t failures;     /* attempts to connect to the hub that failed in a row, */
    uint32_t refusals;     /* and those of them that the hub refused */
    uint32_t answers;      /* assignments since the client was last connected, */
    uint32_t refused_asks; /* and refusals by the service in a row */
    uint8_t polls_left;    /* polls of the closed stream that are still needed */
    mqc_time ask_at;       /* the service is not asked before */
} provisioned_home;

/**
 * Makes a home in the memory. IOTHUB_OK with *out NULL: it is too small, and *needed is the number
 * of bytes. The client's connection string is that of provisioned_home_string.
 */
iothub_result provisioned_home_make(provisioned_home **out, void *memory, size_t len,
                                    const iothub_provisioning_options *p, const iothub_options *o,
                                    size_t *needed, iothub_error *error);

/** Size of a connection string with the longest names and key, with the NUL. */
enum { PROVISIONED_STRING_SIZE = 2048 };

/** Writes a connection string with the longest names, so that memory is measured for all others. */
void provisioned_home_string(const provisioned_home *h, char out[PROVISIONED_STRING_SIZE]);

/**
 * The client was made from that string: takes the cached assignment, if there is one. release
 * frees the memory of the home when the client ends; NULL: it is the caller's.
 */
void provisioned_home_attach(provisioned_home *h, iothub_context *client,
                             telemetry_limits *telemetry, void (*release)(void *memory));

/** Erases the home, which was not attached. */
void provisioned_home_drop(provisioned_home *h);

#endif
