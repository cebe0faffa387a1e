#ifndef TEST_FAKE_PLATFORM_H
#define TEST_FAKE_PLATFORM_H

/**
 * @file
 * A complete plat_platform without an operating system. It has a fake clock, scripted streams and
 * real cryptography, but its random numbers are the same in every run.
 *
 *     fake_platform_init(&f);
 *     ... give &f.platform to the client; the first stream that it makes is f.streams[0] ...
 *     fake_platform_free(&f);
 */

#include "fake_clock.h"
#include "platform/platform.h"
#include "scripted_stream.h"

/* Most streams that can be made after init; deinitialised streams count, too. */
#define FAKE_STREAMS 8

typedef struct fake_net {
    plat_net base;
    fake_clock *clock;
    plat_result stream_result; /* if it is not PLAT_OK, making a stream fails with this code */
    /* If true, a failed attempt still returns a stream (the last of streams), which can name the
     * fault. */
    bool names_fault;
    size_t made; /* number of streams made so far; they are taken from `streams` in order */
    plat_stream_config configs[FAKE_STREAMS]; /* configuration that each stream was made with */
    /* Copies of the configurations that configs points to. */
    plat_websocket_config websockets[FAKE_STREAMS];
    plat_tunnel_config tunnels[FAKE_STREAMS];
    plat_second_way second_ways[FAKE_STREAMS];
    const void *memories[FAKE_STREAMS]; /* where each stream was made */
    unsigned waits;                     /* number of calls of wait */
    int last_timeout_ms;
    scripted_stream *streams;
} fake_net;

typedef struct fake_crypto {
    plat_crypto base;
    uint32_t seed; /* state of the random generator; changes with each number */
} fake_crypto;

/** A fake identity consists only of its description. */
struct plat_identity {
    plat_identity_info info;
};

typedef struct fake_platform {
    plat_platform platform;
    fake_clock clock;
    fake_crypto crypto;
    fake_net net;
    plat_identities identities; /* only the function describe is set */
    /**
     * Usable directly after init, so that a test can write the script of a stream before the client
     * makes the stream.
     */
    scripted_stream streams[FAKE_STREAMS];
} fake_platform;

/** Sets the monotonic clock to 1000 ms and the wall clock to 1700000000 s. */
void fake_platform_init(fake_platform *f);
void fake_platform_free(fake_platform *f);

/** Returns the stream that was opened last and is not closed yet, or NULL if there is none. */
scripted_stream *fake_platform_stream(fake_platform *f);

#endif
