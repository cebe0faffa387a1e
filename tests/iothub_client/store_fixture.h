#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

/**
 * @file
 * A client with a store in memory, and checks of what always holds for its telemetry.
 */

#include "client_fixture.h"
#include "fake_store.h"

/** The store that store_options sets. The test initialises and frees it. */
extern fake_store fixture_store;

/**
 * A function that changes options: it sets fixture_store, and no desired callback, so that the
 * client sends no GET of its own between the messages.
 */
void store_options(iothub_options *o);

/**
 * Ends the client as if its process were killed: no callback runs and nothing is sent. The platform
 * is freed, the store remains.
 */
void store_kill(client_fixture *f);

/** Sends telemetry whose body is a number. */
iothub_op store_send(client_fixture *f, unsigned number);

iothub_stats store_stats(const client_fixture *f);

/** Checks the sum of the counters that client.h documents. */
void store_check_sum(const client_fixture *f);

/**
 * Returns the numbers of the publishes at the hub from the n-th on, without repeats, separated by
 * spaces.
 */
const char *store_arrived(const client_fixture *f, unsigned n);

#endif
