#ifndef MQC_CONNECT_SUBSCRIBE_H
#define MQC_CONNECT_SUBSCRIBE_H

#include "packet.h"

/* The requests: CONNECT, DISCONNECT, SUBSCRIBE and UNSUBSCRIBE. */

/* Discards all requests, since the connection has ended. */
void mqc_requests_reset(mqc_engine *e);

/* Ends the request with this id. count is the number of return codes in a SUBACK. Returns false
 * if no request expects this answer. */
bool mqc_request_answered(mqc_engine *e, mqc_packet_type answer, uint16_t packet_id, size_t count);

#endif
