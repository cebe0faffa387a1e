#ifndef TEST_NUMBERED_MESSAGES_H
#define TEST_NUMBERED_MESSAGES_H

/**
 * @file
 * Messages with numbers as their bodies, of which a test counts the arrivals at the hub.
 */

#include <stdio.h>

#include "client_fixture.h"

enum { NUMBERED_MESSAGES_MAX = 4096 };

/** All zero at first. */
typedef struct numbered_messages {
    unsigned sent;   /* number of messages sent; they are numbered from 0 */
    unsigned looked; /* number of the hub's publishes that were counted */
    uint8_t arrived[NUMBERED_MESSAGES_MAX];
    /* The message arrived with DUP, because its acknowledgement was lost. */
    bool repeated[NUMBERED_MESSAGES_MAX];
} numbered_messages;

static inline void numbered_send(numbered_messages *m, client_fixture *f)
{
    char body[16];

    snprintf(body, sizeof body, "n%u", m->sent++);
    (void)fixture_send(f, body);
}

/** Counts the messages that have arrived at the hub since the last call. */
static inline void numbered_look(numbered_messages *m, const client_fixture *f)
{
    for (; m->looked < f->hub.publishes; m->looked++) {
        const fake_hub_publish *p = fake_hub_at(&f->hub, m->looked);
        unsigned n;
        if (strstr(p->topic, "/messages/events/") != NULL && sscanf(p->payload, "n%u", &n) == 1) {
            assert_true(n < m->sent);
            m->arrived[n]++;
            m->repeated[n] = m->repeated[n] || p->dup;
        }
    }
}

/**
 * Checks that every message has arrived and ended well, and that one that arrived twice has the
 * flag DUP.
 */
static inline void assert_none_lost(numbered_messages *m, const client_fixture *f)
{
    iothub_stats stats;

    numbered_look(m, f);
    iothub_get_stats(f->client, &stats);
    assert_true(stats.telemetry_acknowledged == m->sent);
    for (unsigned n = 0; n < m->sent; n++) {
        assert_true(m->arrived[n] == 1 || (m->arrived[n] > 1 && m->repeated[n]));
    }
}

/** Checks in addition that no message has arrived twice. */
static inline void assert_each_once(numbered_messages *m, const client_fixture *f)
{
    assert_none_lost(m, f);
    for (unsigned n = 0; n < m->sent; n++) {
        assert_int_equal(m->arrived[n], 1);
    }
}

#endif
