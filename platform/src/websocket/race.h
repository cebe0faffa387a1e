#ifndef PLAT_WEBSOCKET_RACE_H
#define PLAT_WEBSOCKET_RACE_H

/** @file A stream that tries two ways to a host, and keeps the one that opens first. */

#include "platform/platform.h"

/** Implements plat_websockets.race. */
plat_result plat_race_stream(const plat_websockets *self, const plat_net *net, plat_stream *first,
                             const plat_stream_config *second, const plat_second_way *second_way,
                             plat_stream **out);

#endif
