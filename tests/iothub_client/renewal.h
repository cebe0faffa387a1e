#ifndef TEST_RENEWAL_H
#define TEST_RENEWAL_H

/**
 * @file
 * A client with a planned change of its connection: streams[0] is the old connection, streams[1]
 * the new one.
 */

#include <stdlib.h>

#include "client_fixture.h"
#include "iothub/message.h"

enum { LIFE_MS = 3600 * 1000, DUE_MS = LIFE_MS / 10 * 8, BOUND_MS = LIFE_MS / 10 * 9 };

static const plat_stage stages[] = { PLAT_STAGE_RESOLVE, PLAT_STAGE_CONNECT, PLAT_STAGE_TLS };
static const iothub_state states[] = { IOTHUB_RESOLVING, IOTHUB_CONNECTING, IOTHUB_SECURING };

typedef struct renewal {
    client_fixture f;
    scripted_stream *old, *new;
    unsigned statuses; /* number of statuses before the renewal */
} renewal;

static inline void connect(renewal *r, void (*change)(iothub_options *o))
{
    fixture_init(&r->f, change);
    /* Switched off, because a renewal has time limits of its own. */
    r->f.client->context.options.ack_timeout_ms = 0;
    r->old = &r->f.platform.streams[0];
    r->new = &r->f.platform.streams[1];
    fixture_connect(&r->f);
    r->f.hub.session_present = true;
    r->statuses = r->f.status_count;
}

/* Connects, and sleeps until the new connection is being opened. */
static inline void begin(renewal *r, plat_stage stall_at)
{
    connect(r, NULL);
    r->new->stall_at = stall_at;
    fixture_sleep(&r->f, DUE_MS);
    assert_int_equal(iothub_get_state(r->f.client), IOTHUB_CONNECTED);
}

static inline void assert_ended_well(const client_fixture *f, iothub_op op)
{
    iothub_result how = IOTHUB_ERR_STATE;

    assert_int_equal(fixture_ended(f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
}

static inline iothub_stats stats_of(const client_fixture *f)
{
    iothub_stats stats;
    iothub_get_stats(f->client, &stats);
    return stats;
}

/* Expects that the client uses the new connection, and that its callbacks reported only a
 * planned change. */
static inline void assert_renewed(const renewal *r)
{
    const client_fixture *f = &r->f;

    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
    assert_int_equal(f->hub.connects, 2);
    assert_int_equal(r->old->state, SCRIPTED_CLOSED);
    assert_int_equal(r->new->state, SCRIPTED_READY);
    for (unsigned i = r->statuses; i < f->status_count; i++) {
        assert_int_equal(f->statuses[i].reason, IOTHUB_OK);
        assert_int_not_equal(f->statuses[i].state, IOTHUB_WAITING);
    }
    assert_int_equal(stats_of(f).token_renewals, 1);
    assert_int_equal(stats_of(f).losses, 0);
}

static inline void call_method(renewal *r)
{
    fake_hub_send(r->old, "$iothub/methods/POST/m/?$rid=5", "{}", 2, 0);
    fixture_run(&r->f);
    assert_int_equal(r->f.method_count, 1);
}

#endif
