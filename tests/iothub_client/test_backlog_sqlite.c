#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client_fixture.h"
#include "platform/sqlite_store.h"

/* Tests the client with the real store. */

static plat_store *store;
static char folder[64];
static char path[80];

static void open_store(uint64_t max_disk_bytes)
{
    const plat_sqlite_options o = {
        .path = path, .owner = "test", .sync_delay_ms = 100, .max_disk_bytes = max_disk_bytes
    };
    char detail[PLAT_STORE_DETAIL_SIZE];

    if (plat_sqlite_store_open(&o, &store, detail) != PLAT_OK) {
        fail_msg("%s", detail);
    }
}

static void close_store(void)
{
    assert_int_equal(store->ops->close(store), PLAT_OK);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/iothub-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)remove(path);
    return rmdir(folder);
}

static void stored(iothub_options *o)
{
    fixture_quiet(o);
    o->store = store;
    o->when_full = IOTHUB_DROP_OLDEST;
}

static void a_full_disk_never_refuses_the_newest(void **state)
{
    (void)state;
    client_fixture f;
    iothub_stats s;
    char body[200];
    enum { COUNT = 6000 };
    open_store(PLAT_SQLITE_STORE_LEAST);
    fixture_init(&f, stored);

    for (unsigned n = 0; n < COUNT; n++) {
        snprintf(body, sizeof body, "%199u", n);
        fixture_send(&f, body);
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
    }
    iothub_get_stats(f.client, &s);
    assert_int_equal(s.telemetry_dropped + s.queued, COUNT);
    assert_in_range(s.queued, 200, COUNT / 2);
    unsigned next = COUNT - (unsigned)s.queued;
    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, s.queued);
    unsigned first = f.hub.publishes > FAKE_HUB_LOG ? f.hub.publishes - FAKE_HUB_LOG : 0;
    for (unsigned n = first; n < f.hub.publishes; n++) {
        assert_int_equal(atoi(fake_hub_at(&f.hub, n)->payload), next + n);
    }
    assert_int_equal(f.done_count, COUNT);
    fixture_free(&f);
    close_store();
}

static void what_is_kept_goes_on_in_the_next_run(void **state)
{
    (void)state;
    client_fixture f;
    char body[16];
    open_store(0);
    fixture_init(&f, stored);
    for (unsigned n = 0; n < 100; n++) {
        snprintf(body, sizeof body, "%u", n);
        fixture_send(&f, body);
    }
    fixture_free(&f);
    close_store();

    open_store(0);
    fixture_init(&f, stored);
    fixture_connect(&f);
    assert_int_equal(f.hub.publishes, 100);
    for (unsigned n = 0; n < 100; n++) {
        assert_int_equal(atoi(fake_hub_at(&f.hub, n)->payload), n);
    }
    assert_int_equal(f.done_count, 0);
    fixture_free(&f);
    close_store();
}

static void a_store_that_a_client_has_is_not_closed(void **state)
{
    (void)state;
    client_fixture f;
    open_store(0);
    fixture_init(&f, stored);

    assert_int_equal(store->ops->close(store), PLAT_ERR_STATE);

    fixture_connect(&f);
    (void)fixture_send(&f, "it is there still");
    fixture_run(&f);
    assert_int_equal(f.done_count, 1);
    fixture_free(&f);
    close_store();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_disk_never_refuses_the_newest, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_kept_goes_on_in_the_next_run, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_store_that_a_client_has_is_not_closed, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
