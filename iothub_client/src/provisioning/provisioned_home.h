#ifndef IOTHUB_PROVISIONED_HOME_H
#define IOTHUB_PROVISIONED_HOME_H

/**
 * @file
 * The home of a client that the Device Provisioning Service assigns to a hub. It decides when the
 * service is asked, and gives the client its names.
 */

#include "connection/home.h"
#include "provisioning/exchange.h"
#include "telemetry/telemetry_limits.h"

/** How the next attempt of the client begins. */
typedef enum home_next {
    HOME_ASK = 0, /* it asks the service */
    HOME_CONNECT  /* it connects to the known hub */
} home_next;

typedef struct provisioned_home {
    iothub_home base;
    iothub_context *client; /* NULL until it is attached */
    telemetry_limits *telemetry;
    iothub_exchange *exchange;
    void (*release)(void *memory); /* frees the memory; NULL: the memory belongs to the caller */
    void *memory;
    size_t memory_len;
    char *host;      /* the host name in the client, with room for the longest one */
    char *device_id; /* the device id in the client, with room for the longest one */
    bool known;      /* the names come from an assignment */
    bool unreported; /* it comes from the cache, and was not reported to the application yet */
    bool changes; /* the hub is known; the client changes to a new certificate before it connects */
    home_next next;
    uint32_t failures;     /* number of consecutive failed attempts to connect to the hub */
    uint32_t refusals;     /* number of these attempts that the hub refused */
    uint32_t answers;      /* number of assignments since the client was last connected */
    uint32_t refused_asks; /* number of consecutive refusals by the service */
    uint8_t polls_left;    /* number of polls of the closed stream that are still needed */
    mqc_time ask_at;       /* the service is not asked before this time */
} provisioned_home;

/**
 * Makes a home in the memory. If it returns IOTHUB_OK and *out is NULL, the memory is too small and
 * *needed is the number of bytes. The client must be made from the string of
 * provisioned_home_string.
 */
iothub_result provisioned_home_make(provisioned_home **out, void *memory, size_t len,
                                    const iothub_provisioning_options *p, const iothub_options *o,
                                    size_t *needed, iothub_error *error);

/** Size of a connection string with the longest names and key, including the NUL. */
enum { PROVISIONED_STRING_SIZE = 2048 };

/**
 * Writes a connection string with the longest names, so that the measured memory is enough for all
 * others. It contains the key of the registration, unless iothub_options.credentials names the
 * credentials of the hub.
 */
void provisioned_home_string(const provisioned_home *h, char out[PROVISIONED_STRING_SIZE]);

/**
 * Call it when the client was made from that string. It uses the cached assignment, if there is
 * one. release frees the memory of the home when the client ends; NULL: the memory belongs to the
 * caller.
 */
void provisioned_home_attach(provisioned_home *h, iothub_context *client,
                             telemetry_limits *telemetry, void (*release)(void *memory));

/** Erases a home that was not attached. */
void provisioned_home_drop(provisioned_home *h);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool provisioned_home_valid(const provisioned_home *h);

#endif
