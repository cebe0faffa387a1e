#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

/**
 * @file
 * A stream of the platform with a blocking interface.
 */

#include <platform/platform.h>

#include "bench.h"

typedef struct bench_stream {
    plat_stream_storage storage;
    plat_stream *stream;
} bench_stream;

uint64_t bench_now_ms(void);

void bench_stream_open(bench_stream *s, const bench_job *job);

/** Sends all of the data. */
void bench_stream_send(bench_stream *s, const uint8_t *data, size_t len);

/** Waits until `least` bytes have arrived, but not longer than timeout_ms. */
void bench_stream_wait(bench_stream *s, size_t least, int timeout_ms);

/** Receives at least one byte. Returns the number of bytes. */
size_t bench_stream_recv(bench_stream *s, uint8_t *buf, size_t cap);

#endif
