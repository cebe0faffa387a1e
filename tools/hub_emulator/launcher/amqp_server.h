#ifndef HUB_AMQP_SERVER_H
#define HUB_AMQP_SERVER_H

/**
 * @file
 * AMQP over TLS, with the answers of amqp_refusal.h. It never blocks: the caller polls its
 * descriptors together with others.
 */

#include <poll.h>

#include "launcher/ports.h"
#include "state/store.h"

/** Largest number of clients at a time; further ones are closed immediately. */
#define HUB_AMQP_CLIENTS   16
#define HUB_AMQP_POLLS_MAX (HUB_AMQP_CLIENTS + 2)

typedef struct hub_amqp_server hub_amqp_server;

/** Takes ownership of the sockets if it succeeds. Certificate and key are read from the store. */
hub_result hub_amqp_start(hub_amqp_server **out, const hub_sockets *sockets, const hub_store *store,
                          hub_fault *fault);
/** Returns how many entries of polls were filled; 0 if the server is NULL. */
size_t hub_amqp_polls(const hub_amqp_server *s, struct pollfd polls[HUB_AMQP_POLLS_MAX]);
/** Returns the milliseconds until hub_amqp_run is due, or -1 without a deadline. */
int hub_amqp_timeout(const hub_amqp_server *s);
/** Serves all clients that are ready. */
void hub_amqp_run(hub_amqp_server *s);
void hub_amqp_stop(hub_amqp_server *s);

#endif
