#include "store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

fake_store fixture_store;

void store_options(iothub_options *o)
{
    fixture_quiet(o);
    o->store = &fixture_store.base;
}

void store_kill(client_fixture *f)
{
    if (f->client->session.changeover.channels[0].stream != NULL) {
        f->client->session.changeover.channels[0].stream->ops->deinit(f->client->session.changeover.channels[0].stream);
    }
    fixture_store.base.user = NULL; /* cleared, because a new process would not have it */
    free(f->client->memory);
    fake_platform_free(&f->platform);
    fake_store_crash(&fixture_store);
}

iothub_op store_send(client_fixture *f, unsigned number)
{
    char body[16];
    snprintf(body, sizeof body, "%u", number);
    return fixture_send(f, body);
}

iothub_stats store_stats(const client_fixture *f)
{
    iothub_stats s;
    iothub_get_stats(f->client, &s);
    return s;
}

void store_check_sum(const client_fixture *f)
{
    const iothub_stats s = store_stats(f);

    assert_int_equal(s.telemetry_accepted + s.telemetry_found,
                     s.telemetry_acknowledged + s.telemetry_expired + s.telemetry_dropped +
                         s.telemetry_cancelled + s.telemetry_kept + s.queued);
}

const char *store_arrived(const client_fixture *f, unsigned n)
{
    static char text[4096];
    bool seen[1000] = { false };
    size_t len = 0;

    text[0] = '\0';
    for (; n < f->hub.publishes; n++) {
        unsigned number = (unsigned)atoi(fake_hub_at(&f->hub, n)->payload);
        assert_in_range(number, 0, 999);
        if (!seen[number]) {
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s%u", len > 0 ? " " : "", number);
        }
        seen[number] = true;
    }
    return text;
}
