#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

/**
 * @file
 * A client with a store in memory, and what holds for its telemetry at any time.
 */

#include "client_fixture.h"
#include "fake_store.h"

/** The store of store_options; the test begins and ends it. */
extern fake_store fixture_store;

/** Change options: fixture_store, and no GET of the client's own between the messages. */
void store_options(iothub_options *o);

/** The process is killed: no callback, no goodbye; the platform goes with it, the store stays. */
void store_kill(client_fixture *f);

/** Send telemetry with a number for a body. */
iothub_op store_send(client_fixture *f, unsigned number);

iothub_stats store_stats(const client_fixture *f);

/** The sum of stats in client.h. */
void store_check_sum(const client_fixture *f);

/** The numbers of the hub's publishes, without repeats, joined by ' ', from the n-th on. */
const char *store_arrived(const client_fixture *f, unsigned n);

#endif
