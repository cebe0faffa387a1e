#ifndef GROWTH_HUB_H
#define GROWTH_HUB_H

/**
 * @file
 * A hub without a network, for tests of growth. Each job begins with growth_start and returns the
 * result of growth_end.
 */

#include "hub/hub.h"
#include "hub_fixture.h"
#include "rest/rest.h"
#include "steps.h"

/** The hub of the current job. */
struct growth {
    hub_fixture *fixture;
    char *keys; /* one byte per connection, whose address is the connection's key */
    /* Number of messages that were sent to devices, and of replies that were finished later. */
    size_t answers;
};

extern struct growth growth;

/** Makes a new hub with the device "device1", and keys for up to `connections` connections. */
void growth_start(size_t connections);
/** Frees the hub. Returns the number of steps since `began`, without those of freeing. */
uint64_t growth_end(uint64_t began);

/**
 * Makes a request. Returns its status, or 0 for a method call, whose reply appears later in *h.
 * Frees the text of the reply.
 */
int growth_ask(rest_handling *h, const char *method, const char *path, const char *body);
/** Makes a request that is answered immediately, and returns its status. */
int growth_request(const char *method, const char *path, const char *body);

/** Registers a device or, if `module` is not NULL, a module of it. */
hub_identity *growth_add(const char *device, const char *module);
/** Registers the devices d00000, d00001 and so on. */
void growth_add_devices(size_t n);
/** Connects the first n devices, each with a key of its own. */
void growth_connect_devices(size_t n);

#endif
