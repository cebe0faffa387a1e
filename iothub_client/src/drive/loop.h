#ifndef IOTHUB_LOOP_H
#define IOTHUB_LOOP_H

/**
 * @file
 * One turn of the client, and what to wait for before the next one.
 */

#include "context/deadline.h"
#include "iothub/client.h"

void loop_take_events(iothub_client *c);
/** What iothub_process does. */
void loop_turn(iothub_client *c);
/** Nothing to wait for. */
void loop_no_polls(plat_poll *polls);
/** What to wait for before the next turn: polls has room for IOTHUB_POLL_FDS entries; -1: no
 * deadline. Returns the deadline, or IOTHUB_NEVER. */
mqc_time loop_poll(iothub_client *c, plat_poll *polls, int *timeout_ms);

#endif
