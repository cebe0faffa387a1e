#ifndef TEST_ENGINE_FIXTURE_H
#define TEST_ENGINE_FIXTURE_H

/**
 * @file
 * What the parts of a client share, with an engine that is connected to a fake hub, and without
 * the other parts. A test adds the one part that it is about.
 *
 *     engine_fixture f;
 *     engine_fixture_init(&f);
 *     ... xxx_init(&part, &f.base.context); f.on_event = passes events to the part ...
 *     engine_fixture_connect(&f);
 *     ... engine_fixture_run(&f);      until engine and hub are idle
 *     engine_fixture_free(&f);
 */

#include "context_fixture.h"
#include "fake_hub.h"
#include "iothub/memory_size.h"

enum { ENGINE_FIXTURE_RING = 4096, ENGINE_FIXTURE_ENTRIES = 24, ENGINE_FIXTURE_LOG = 128 };

typedef struct engine_fixture engine_fixture;
struct engine_fixture {
    /* Its options have callbacks for done and log; their user pointer is this struct. */
    context_fixture base;
    mqc_engine engine;
    fake_hub hub;
    scripted_stream *wire;
    void (*on_event)(engine_fixture *f, const mqc_event *event); /* NULL if events are ignored */

    iothub_done dones[ENGINE_FIXTURE_LOG];
    unsigned done_count;
    char log[4096]; /* contains "module: text\\n" for each line */

    uint8_t rx[4096];
    uint8_t control[512];
    uint8_t rings[IOTHUB_LANES][ENGINE_FIXTURE_RING];
    mqc_entry entries[IOTHUB_LANES][ENGINE_FIXTURE_ENTRIES];
    mqc_inbound inbound[IOTHUB_UNACCEPTED_MAX];
    char scratch[1024];
};

void engine_fixture_init(engine_fixture *f);
void engine_fixture_free(engine_fixture *f);

/** Begins a connection with a new generation; its state is IOTHUB_CONNECTED. */
void engine_fixture_connect(engine_fixture *f);
/** The connection is lost; its state is IOTHUB_WAITING. */
void engine_fixture_cut(engine_fixture *f);
/** Lets the engine and the hub exchange bytes and events until none are left. */
void engine_fixture_run(engine_fixture *f);

mqc_time engine_fixture_now(const engine_fixture *f);

#endif
