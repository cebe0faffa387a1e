#ifndef HUB_AMQP_SERVER_H
#define HUB_AMQP_SERVER_H

/**
 * @file
 * AMQP over TLS, as far as amqp_refusal.h goes.  Runs beside whatever else the caller
 * waits for: it gives descriptors to poll(2) and never blocks.
 */

#include <poll.h>

#include "launcher/ports.h"
#include "state/store.h"

/** Clients at a time; further ones are closed at once. */
#define HUB_AMQP_CLIENTS   16
#define HUB_AMQP_POLLS_MAX (HUB_AMQP_CLIENTS + 2)

typedef struct hub_amqp_server hub_amqp_server;

/** Takes the sockets over when it succeeds.  Certificate and key are those in the store. */
hub_result hub_amqp_start(hub_amqp_server **out, const hub_sockets *sockets, const hub_store *store,
                          hub_fault *fault);
/** How many of polls were filled; 0 for NULL. */
size_t hub_amqp_polls(const hub_amqp_server *s, struct pollfd polls[HUB_AMQP_POLLS_MAX]);
/** After so many milliseconds at most, hub_amqp_run is due; -1: not by time. */
int hub_amqp_timeout(const hub_amqp_server *s);
/** Serve whoever is there. */
void hub_amqp_run(hub_amqp_server *s);
void hub_amqp_stop(hub_amqp_server *s);

#endif
