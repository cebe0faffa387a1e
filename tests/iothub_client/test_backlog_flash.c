#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "sim_flash.h"

/* Tests the client with the store for flash, across resets of the device. */

enum { SECTOR = 4096, SECTORS = 6, BUFFER = 1024 };

static sim_flash flash;
static plat_flash_store memory;
static uint64_t index_words[SECTORS * PLAT_FLASH_STORE_INDEX_WORDS(SECTOR)];
static uint8_t buffer[BUFFER];
static plat_store *store;

static void open_store(void)
{
    const plat_flash_options o = {
        .flash = &flash.base,
        .owner = "hub/device",
        .index = index_words,
        .index_words = sizeof index_words / sizeof index_words[0],
        .buffer = buffer,
        .buffer_size = sizeof buffer,
        .new_id = 1,
    };
    const char *detail;

    if (plat_flash_store_open(&memory, &o, &store, &detail) != PLAT_OK) {
        fail_msg("%s", detail);
    }
}

static int make_flash(void **state)
{
    (void)state;
    sim_flash_init(&flash, SECTOR, SECTORS, 8);
    return 0;
}

static int free_flash(void **state)
{
    (void)state;
    sim_flash_free(&flash);
    return 0;
}

static void stored(iothub_options *o)
{
    fixture_quiet(o);
    o->store = store;
    o->when_full = IOTHUB_DROP_OLDEST;
}

/* Ends the client as a reset does: nothing is called any more. */
static void reset(client_fixture *f)
{
    if (f->client->session.changeover.channels[0].stream != NULL) {
        f->client->session.changeover.channels[0].stream->ops->deinit(
            f->client->session.changeover.channels[0].stream);
    }
    free(f->client->memory);
    fake_platform_free(&f->platform);
    sim_flash_power_on(&flash);
    open_store();
}

static void send_number(client_fixture *f, unsigned n)
{
    char body[16];

    snprintf(body, sizeof body, "%u", n);
    fixture_send(f, body);
}

/* The device is offline and is reset after every third message. */
static void messages_survive_resets_and_arrive_in_order(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    client_fixture f;
    open_store();

    for (unsigned n = 0; n < COUNT;) {
        fixture_init(&f, stored);
        for (int i = 0; i < 3; i++) {
            send_number(&f, n++);
        }
        reset(&f);
    }
    fixture_init(&f, stored);
    fixture_connect(&f);

    assert_int_equal(f.hub.publishes, COUNT);
    for (unsigned n = 0; n < COUNT; n++) {
        assert_int_equal(atoi(fake_hub_at(&f.hub, n)->payload), n);
    }
    fixture_free(&f);
    assert_int_equal(store->ops->close(store), PLAT_OK);
    open_store();
    plat_store_info info;
    store->ops->info(store, &info);
    assert_int_equal(info.count, 0);
    assert_int_equal(store->ops->close(store), PLAT_OK);
}

static void a_full_flash_never_refuses_the_newest(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats s;
    char body[200];
    enum { COUNT = 1500 };
    open_store();
    fixture_init(&f, stored);

    for (unsigned n = 0; n < COUNT; n++) {
        snprintf(body, sizeof body, "%199u", n);
        fixture_send(&f, body);
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    }
    iothub_get_stats(f.client, &s);
    assert_int_equal(s.telemetry_dropped + s.queued, COUNT);
    assert_true(s.queued >= 25 && s.queued < 100);
    const unsigned next = COUNT - (unsigned)s.queued;
    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, s.queued);
    for (unsigned n = 0; n < f.hub.publishes; n++) {
        assert_int_equal(atoi(fake_hub_at(&f.hub, n)->payload), next + n);
    }
    assert_int_equal(f.done_count, COUNT);
    fixture_free(&f);
    assert_int_equal(store->ops->close(store), PLAT_OK);
    assert_in_range(sim_flash_wear(&flash), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_survive_resets_and_arrive_in_order, make_flash,
                                        free_flash),
        cmocka_unit_test_setup_teardown(a_full_flash_never_refuses_the_newest, make_flash,
                                        free_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
