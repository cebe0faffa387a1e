#ifndef TEST_TCP_STREAM_FIXTURE_H
#define TEST_TCP_STREAM_FIXTURE_H

/** @file  A TCP stream under test, and the steps that drive it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "posix/tcp_stream.h"
#include "posix/wait.h"

extern plat_tcp_stream tcp;
extern plat_stream *const s; /* the stream under test */

/** Set-up function of a test. */
int make_stream(void **state);
int free_stream(void **state);

#define WITH_STREAM(test) cmocka_unit_test_setup_teardown(test, make_stream, free_stream)

/** Returns the time of the stream's clock in milliseconds. */
uint64_t now(void);

/** Returns what the stream asks an event loop to wait for. */
plat_poll poll_of(bool want_send);

/** Calls progress until the stream is open or has failed, and sleeps only as its poll asks. */
plat_result drive(plat_stage *stage);

#endif
