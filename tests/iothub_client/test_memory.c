#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "fake_store.h"

/* Tests how iothub_init divides the memory that the caller provides. */

#define HOST_AND_DEVICE "HostName=myhub.azure-devices.net;DeviceId=device1;"
#define TOKEN                                                                   \
    "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&sig=" \
    "gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1900000000"

static const char *const strings[] = {
    FIXTURE_CONNECTION_STRING,
    HOST_AND_DEVICE "SharedAccessSignature=" TOKEN,
    "SharedAccessSignature=" TOKEN ";ModuleId=m;GatewayHostName=edge;" HOST_AND_DEVICE,
    HOST_AND_DEVICE "ModuleId=a-module;GatewayHostName=edge.local;SharedAccessKey=c2VjcmV0",
};

enum { PARTS_MAX = 24 };

typedef struct part {
    const uint8_t *at;
    size_t len;
    const char *name;
} part;

typedef struct parts {
    part all[PARTS_MAX];
    size_t count;
} parts;

static void add(parts *p, const char *name, const void *at, size_t len, size_t align)
{
    if (len == 0) {
        return;
    }
    assert_true(p->count < PARTS_MAX);
    if (at == NULL || (uintptr_t)at % align != 0) {
        fail_msg("%s: not there, or not aligned", name);
    }
    p->all[p->count++] = (part){ at, len, name };
}

static void add_lanes(parts *p, const iothub_client *c)
{
    const mqc_engine *e = c->context.engine;
    const mqc_outbox *telemetry = &e->lanes[IOTHUB_LANE_TELEMETRY];

    for (size_t i = 0; i < e->lane_count; i++) {
        const mqc_outbox *o = &e->lanes[i];
        add(p, "ring", o->ring, o->ring_len, 1);
        add(p, "entries", o->entries, o->entries_len * sizeof *o->entries, sizeof(void *));
    }
    add(p, "expiries", telemetry->expiry.groups,
        IOTHUB_EXPIRIES(c->context.options.tx_size) * sizeof *telemetry->expiry.groups,
        sizeof(uint32_t));
    assert_true(MQC_EXPIRIES(telemetry->entries_len) <=
                    IOTHUB_EXPIRIES(c->context.options.tx_size) ||
                telemetry->expiry.groups == NULL);
}

/* Returns the length of all names, which are kept without the token and each end in a NUL. */
static size_t names_len(const char *connection_string)
{
    size_t token = strstr(connection_string, TOKEN) != NULL ? strlen(TOKEN) : 0;
    return strlen(connection_string) + 1 - token;
}

static const uint8_t *names_at(const iothub_client *c, const char *connection_string)
{
    size_t at = (size_t)(strstr(connection_string, "HostName=my") - connection_string) + 9;
    size_t token = (size_t)(strstr(connection_string, TOKEN) - connection_string);
    bool behind = strstr(connection_string, TOKEN) != NULL && token < at;

    return c->context.identity.host_name.ptr - (behind ? at - strlen(TOKEN) : at);
}

static void collect(parts *p, const iothub_client *c, const char *connection_string)
{
    const mqc_engine *e = c->context.engine;

    p->count = 0;
    add(p, "client", c, (sizeof *c + 15) / 16 * 16, 16);
    add_lanes(p, c);
    add(p, "received bytes", e->in.buf, e->in.cap, 1);
    add(p, "control area", e->control.buf, e->control.cap, 1);
    add(p, "inbound table", e->inbox.table, e->inbox.cap * sizeof *e->inbox.table,
        sizeof(uint16_t));
    add(p, "names", names_at(c, connection_string), names_len(connection_string), 1);
    add(p, "topic", context_events(&c->context) - sizeof(mqc_time),
        sizeof(mqc_time) + c->context.events_len, 1);
    add(p, "scratch", c->context.scratch, c->context.scratch_len, 1);
    add(p, "token", c->context.identity.token, c->session.credential.token_cap, 1);
    add(p, "store's table", c->telemetry.limits.backlog.table.slots,
        c->telemetry.limits.backlog.table.len * sizeof *c->telemetry.limits.backlog.table.slots,
        sizeof(void *));
}

static void check_apart(const parts *p, const uint8_t *memory, size_t len)
{
    for (size_t i = 0; i < p->count; i++) {
        const part *a = &p->all[i];
        if (a->at < memory || a->at + a->len > memory + len) {
            fail_msg("%s: outside the memory", a->name);
        }
        for (size_t k = 0; k < i; k++) {
            const part *b = &p->all[k];
            if (a->at < b->at + b->len && b->at < a->at + a->len) {
                fail_msg("%s and %s overlap", a->name, b->name);
            }
        }
    }
}

static size_t sum_of(const parts *p)
{
    size_t sum = 0;

    for (size_t i = 0; i < p->count; i++) {
        sum += p->all[i].len;
    }
    return sum;
}

/* Copies the string to an exact allocation, so that the sanitizer detects a read past its end. */
static iothub_client *init(const char *text, const iothub_options *o, void *memory, size_t len,
                           iothub_error *error)
{
    char *exact = malloc(strlen(text) + 1);
    strcpy(exact, text);
    iothub_client *c = iothub_init(memory, len, exact, o, error);
    free(exact);
    return c;
}

static void check_division(const iothub_options *o, const char *text)
{
    const size_t least = IOTHUB_CLIENT_SIZE + 64;
    unsigned char *memory = fixture_memory(least);
    iothub_error error;
    size_t missing;
    parts p;

    assert_null(init(text, o, memory, least, &error));
    assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
    assert_int_equal(sscanf(error.text, "memory: %zu bytes more", &missing), 1);
    free(memory);
    for (size_t more = 0; more < 1000; more += 1 + more * 5) {
        const size_t len = least + missing + more;
        memory = fixture_memory(len);
        iothub_client *c = init(text, o, memory, len, &error);
        assert_non_null(c);
        collect(&p, c, text);
        check_apart(&p, memory, len);
        /* Additional memory makes room for longer tokens; each byte is needed twice, for the
         * token and for its copy in CONNECT. */
        size_t unused = c->session.credential.token_cap > 0 ? more % 2 : more;
        size_t odd = c->telemetry.limits.backlog.table.len > 0
                         ? sizeof *c->telemetry.limits.backlog.table.slots
                         : 1;
        assert_in_range(len - sum_of(&p), unused, unused + odd - 1);
        iothub_deinit(c);
        free(memory);
    }
}

static void the_parts_of_the_memory_lie_apart_and_waste_nothing(void **state)
{
    (void)state;
    static const size_t sizes[][3] = { { 256, 512, 256 },    { 1024, 1024, 256 },
                                       { 1024, 2048, 512 },  { 8192, 16384, 4096 },
                                       { 333, 70001, 1001 }, { 4096, 1500000, 4096 } };
    client_fixture f; /* used for its platform */
    fake_store store;
    fake_store_init(&store);
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t s = 0; s < sizeof strings / sizeof strings[0]; s++) {
            for (int stored = 0; stored < 2; stored++) {
                f.options.rx_size = sizes[i][0];
                f.options.tx_size = sizes[i][1];
                f.options.request_size = sizes[i][2];
                f.options.store = stored ? &store.base : NULL;
                check_division(&f.options, strings[s]);
            }
        }
    }
    fixture_free(&f);
    fake_store_free(&store);
}

static uint16_t window;

static void with_window(iothub_options *o)
{
    o->window = window;
}

/* With a store, the lane has entries for two windows, but at most half of all entries; the table
 * gets the rest. */
static void with_a_store_the_lane_has_two_windows_and_the_table_the_rest(void **state)
{
    (void)state;
    static const uint16_t windows[] = { 1, 10, 36, 37, 1000 };

    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        client_fixture f;
        fake_store store;
        iothub_error error;
        window = windows[i];
        fake_store_init(&store);
        fixture_init(&f, with_window);
        const size_t entries = IOTHUB_TELEMETRY_ENTRIES(f.options.tx_size);
        const size_t wanted = 2 * (size_t)window < entries / 2 ? 2 * (size_t)window : entries / 2;
        assert_int_equal(f.client->context.engine->lanes[IOTHUB_LANE_TELEMETRY].entries_len,
                         entries);
        f.options.store = &store.base;
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error);
        assert_non_null(c);

        assert_int_equal(c->context.engine->lanes[IOTHUB_LANE_TELEMETRY].entries_len, wanted);
        assert_int_equal(c->telemetry.limits.backlog.lane_max, wanted);
        assert_int_equal(c->telemetry.limits.backlog.table.len,
                         (entries - wanted) * sizeof(mqc_entry) / sizeof(in_lane));

        iothub_free(c);
        fixture_free(&f);
        fake_store_free(&store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_the_memory_lie_apart_and_waste_nothing),
        cmocka_unit_test(with_a_store_the_lane_has_two_windows_and_the_table_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
