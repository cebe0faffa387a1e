#ifndef IOTHUB_TRAFFIC_H
#define IOTHUB_TRAFFIC_H

/** @file Counters of calls of the stream and of bytes. */

#include <stddef.h>
#include <stdint.h>

typedef struct iothub_traffic {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t send_calls;
    uint64_t recv_calls;
} iothub_traffic;

static inline void traffic_count_send(iothub_traffic *t, size_t bytes)
{
    t->send_calls++;
    t->bytes_sent += bytes;
}

static inline void traffic_count_recv(iothub_traffic *t, size_t bytes)
{
    t->recv_calls++;
    t->bytes_received += bytes;
}

#endif
