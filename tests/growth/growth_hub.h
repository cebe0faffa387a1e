#ifndef GROWTH_HUB_H
#define GROWTH_HUB_H

/**
 * @file
 * A hub without a network for tests of growth: each job begins with growth_start and returns what
 * growth_end returns.
 */

#include "hub/hub.h"
#include "hub_fixture.h"
#include "rest/rest.h"
#include "steps.h"

/** The hub of the job that runs. */
struct growth {
    hub_fixture *fixture;
    char *keys;     /* one for each connection */
    size_t answers; /* messages to devices, and requests that were finished later */
};

extern struct growth growth;

/** A new hub with the device "device1", and keys for up to `connections` connections. */
void growth_start(size_t connections);
/** Frees the hub.  Returns the steps since `began`, without those of freeing. */
uint64_t growth_end(uint64_t began);

/** Returns the status, or 0 for a method call, whose answer comes later in *h.  Frees the text of
 * the reply. */
int growth_ask(rest_handling *h, const char *method, const char *path, const char *body);
/** The same for requests that are answered immediately. */
int growth_request(const char *method, const char *path, const char *body);

/** Registers a device, or with `module` a module of it. */
hub_identity *growth_add(const char *device, const char *module);
/** Registers the devices d00000, d00001 and so on. */
void growth_add_devices(size_t n);
/** Connects the first n of them, each with its key. */
void growth_connect_devices(size_t n);

#endif
