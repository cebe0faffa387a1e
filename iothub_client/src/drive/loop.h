#ifndef IOTHUB_LOOP_H
#define IOTHUB_LOOP_H

/**
 * @file
 * One turn of the client, and what to wait for before the next one.
 */

#include "context/deadline.h"
#include "iothub/client.h"

void loop_take_events(iothub_client *c);
/** Does one turn; iothub_process calls it. */
void loop_turn(iothub_client *c);
/** Sets polls to wait for nothing. */
void loop_no_polls(plat_poll *polls);
/**
 * Reports what to wait for before the next turn. polls has room for IOTHUB_POLL_FDS entries; a
 * timeout of -1 means no deadline. Returns the deadline, or IOTHUB_NEVER.
 */
mqc_time loop_poll(iothub_client *c, plat_poll *polls, int *timeout_ms);

#endif
