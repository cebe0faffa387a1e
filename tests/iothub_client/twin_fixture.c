#include "twin_fixture.h"

#include <stdio.h>

iothub_op twin_get(client_fixture *f)
{
    iothub_op op = 0;
    assert_int_equal(iothub_twin_get(f->client, NULL, &op), IOTHUB_OK);
    assert_int_not_equal(op, 0);
    return op;
}

iothub_op twin_report(client_fixture *f, const char *json)
{
    iothub_op op = 0;
    assert_int_equal(iothub_twin_report(f->client, json, strlen(json), f, &op), IOTHUB_OK);
    return op;
}

const iothub_done *fixture_last_done(const client_fixture *f)
{
    assert_true(f->done_count > 0);
    return &f->dones[(f->done_count - 1) % (4 * FIXTURE_LOG)];
}

void twin_answer(client_fixture *f, int status, uint32_t rid, const char *more, const char *body)
{
    char topic[128];
    snprintf(topic, sizeof topic, "$iothub/twin/res/%d/?$rid=%u%s", status, (unsigned)rid, more);
    fake_hub_send(fixture_stream(f), topic, body, strlen(body), 0);
}

void twin_patch(client_fixture *f, unsigned version)
{
    char topic[128];
    char json[64];
    snprintf(topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%u", version);
    snprintf(json, sizeof json, "{\"v\":%u,\"$version\":%u}", version, version);
    fake_hub_send(fixture_stream(f), topic, json, strlen(json), 0);
}

unsigned twin_gets(const client_fixture *f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->hub.publishes; i++) {
        n += strncmp(fake_hub_at(&f->hub, i)->topic, "$iothub/twin/GET/", 17) == 0;
    }
    return n;
}

uint32_t twin_rid(const fake_hub_publish *p)
{
    unsigned rid = 0;
    assert_non_null(p);
    assert_int_equal(sscanf(strstr(p->topic, "$rid="), "$rid=%u", &rid), 1);
    return rid;
}
