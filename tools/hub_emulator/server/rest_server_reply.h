#ifndef HUB_REST_SERVER_REPLY_H
#define HUB_REST_SERVER_REPLY_H

/** @file Sends a reply of rest.h with libmicrohttpd. */

#include <microhttpd.h>

#include "rest/rest_reply.h"

/** Queues the reply, which is copied. MHD_NO closes the connection. */
enum MHD_Result rest_server_reply(struct MHD_Connection *connection, const rest_reply *reply);

#endif
