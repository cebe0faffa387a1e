#ifndef TEST_FAKE_PLATFORM_H
#define TEST_FAKE_PLATFORM_H

/**
 * @file
 * A whole plat_platform without an operating system: a fake clock, real crypto except for its
 * random numbers (the same in every run), and scripted streams.
 *
 *     fake_platform_init(&f);
 *     client uses f.platform, f.streams[0] is the first stream it makes ...
 *     fake_platform_free(&f);
 */

#include "fake_clock.h"
#include "platform/platform.h"
#include "scripted_stream.h"

#define FAKE_STREAMS 8 /* streams made since init, including those that were deinitialised */

typedef struct fake_net {
    plat_net base;
    fake_clock *clock;
    plat_result stream_result;                /* not PLAT_OK: making a stream fails with this, */
    bool names_fault;                         /* and hands out the last of streams all the same */
    size_t made;                              /* streams handed out so far, in order of f.streams */
    plat_stream_config configs[FAKE_STREAMS]; /* what each was made with, */
    const void *memories[FAKE_STREAMS];       /* and where */
    unsigned waits;                           /* calls of wait */
    int last_timeout_ms;
    scripted_stream *streams;
} fake_net;

typedef struct fake_crypto {
    plat_crypto base;
    uint32_t seed; /* state of the random generator; changes with each number */
} fake_crypto;

typedef struct fake_platform {
    plat_platform platform;
    fake_clock clock;
    fake_crypto crypto;
    fake_net net;
    /** Ready from init on: a test may write a stream's script before the stream is made. */
    scripted_stream streams[FAKE_STREAMS];
} fake_platform;

/** Monotonic clock 1000 ms, wall clock 1700000000 s. */
void fake_platform_init(fake_platform *f);
void fake_platform_free(fake_platform *f);

/** The stream that was opened last and is not closed; NULL without one. */
scripted_stream *fake_platform_stream(fake_platform *f);

#endif
