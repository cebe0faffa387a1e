#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client_fixture.h"
#include "platform/sqlite_store.h"
#include "small_disk.h"

/* Tests the client with the real store, on a file system of 2 MB that is full. */

enum { BODY = 200 };

static enum small_disk_kind kind;
static plat_store *store;
static char folder[64];
static char path[80];

static void open_store(void)
{
    const plat_sqlite_options o = { .path = path, .owner = "test", .sync_delay_ms = 100 };
    char detail[PLAT_STORE_DETAIL_SIZE];

    if (plat_sqlite_store_open(&o, &store, detail) != PLAT_OK) {
        fail_msg("%s", detail);
    }
}

static void close_store(void)
{
    assert_int_equal(store->ops->close(store), PLAT_OK);
}

static int mount_disk(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/iothub-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.db", folder);
    return small_disk_mount(kind, 2, folder) ? 0 : 1;
}

static int unmount_disk(void **state)
{
    (void)state;
    small_disk_unmount(folder);
    return rmdir(folder);
}

static void refuse_new(iothub_options *o)
{
    fixture_quiet(o);
    o->store = store;
}

static void drop_oldest(iothub_options *o)
{
    refuse_new(o);
    o->when_full = IOTHUB_DROP_OLDEST;
}

static iothub_result send_number(client_fixture *f, unsigned n, size_t len)
{
    static char body[20000];
    const iothub_telemetry t = { .body = body, .body_len = len };

    memset(body, ' ', sizeof body);
    (void)snprintf(body, sizeof body, "%u", n);
    return iothub_send_telemetry(f->client, &t, NULL);
}

static iothub_stats stats(const client_fixture *f)
{
    iothub_stats s;

    iothub_get_stats(f->client, &s);
    return s;
}

/* Expects that the last messages in the hub's log are in order and end with `last`. */
static void assert_arrived(const client_fixture *f, unsigned count, unsigned last)
{
    unsigned logged = count < FAKE_HUB_LOG ? count : FAKE_HUB_LOG;

    assert_int_equal(f->hub.publishes, count);
    for (unsigned n = 0; n < logged; n++) {
        assert_int_equal(atoi(fake_hub_at(&f->hub, count - 1 - n)->payload), last - n);
    }
}

static void run_to_the_end(client_fixture *f)
{
    fixture_sleep(f, 5000);
    assert_int_equal(stats(f).queued, 0);
    assert_int_equal(stats(f).store_errors, 0);
}

static void the_newest_are_never_refused_when_the_oldest_may_go(void **state)
{
    (void)state;
    enum { COUNT = 12000 };
    client_fixture f;
    open_store();
    fixture_init(&f, drop_oldest);

    for (unsigned n = 0; n < COUNT; n++) {
        if (send_number(&f, n, n % 50 == 49 ? 15000 : BODY) != IOTHUB_OK) {
            fail_msg("%u: %s", n, iothub_last_error(f.client)->text);
        }
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        if (n == 1000) {
            small_disk_fill(folder);
        }
    }

    unsigned queued = (unsigned)stats(&f).queued;
    assert_int_equal(stats(&f).telemetry_dropped + queued, COUNT);
    assert_in_range(queued, 300, COUNT / 2);
    fixture_connect(&f);
    run_to_the_end(&f);
    assert_arrived(&f, queued, COUNT - 1);
    assert_int_equal(f.done_count, COUNT);
    fixture_free(&f);
    close_store();
}

/* A few messages always fit, even if the store was empty when the disk became full. This also
 * holds in later runs. */
static void a_few_always_fit(void **state)
{
    (void)state;
    client_fixture f;

    for (unsigned few = 0; few < 300; few = few * 3 + 1) {
        unsigned n = 0;
        for (int run = 0; run < 4; run++) {
            open_store();
            fixture_init(&f, drop_oldest);
            for (unsigned i = 0; i < (run == 0 ? few : 500); i++) {
                if (send_number(&f, n++, BODY) != IOTHUB_OK) {
                    fail_msg("%u of run %d after %u: %s", i, run, few,
                             iothub_last_error(f.client)->text);
                }
                assert_int_equal(iothub_process(f.client), IOTHUB_OK);
            }
            fixture_free(&f);
            close_store();
            small_disk_fill(folder);
        }
        open_store();
        fixture_init(&f, drop_oldest);
        unsigned queued = (unsigned)stats(&f).queued;
        assert_in_range(queued, 40, n);
        fixture_connect(&f);
        run_to_the_end(&f);
        assert_arrived(&f, queued, n - 1);
        fixture_free(&f);
        close_store();
        small_disk_free(folder);
        assert_int_equal(unlink(path), 0);
    }
}

/* Messages in flight cannot be dropped, so the dropped records have other records before them. */
static void the_oldest_may_go_behind_those_on_their_way(void **state)
{
    (void)state;
    enum { COUNT = 8000 };
    client_fixture f;
    open_store();
    fixture_init(&f, drop_oldest);
    f.hub.mute_publish = true;
    fixture_connect(&f);

    for (unsigned n = 0; n < COUNT; n++) {
        if (send_number(&f, n, BODY) != IOTHUB_OK) {
            fail_msg("%u: %s", n, iothub_last_error(f.client)->text);
        }
        fixture_run(&f);
        if (n == 1000) {
            small_disk_fill(folder);
        }
    }

    assert_int_equal(stats(&f).telemetry_dropped + stats(&f).queued, COUNT);
    assert_in_range(stats(&f).queued, 300, COUNT - 1000);
    fixture_free(&f);
    close_store();
}

static unsigned fill(client_fixture *f)
{
    unsigned n = 0;
    iothub_result r;

    while ((r = send_number(f, n, BODY)) == IOTHUB_OK) {
        assert_int_equal(iothub_process(f->client), IOTHUB_OK);
        n++;
    }
    assert_int_equal(r, IOTHUB_ERR_NO_SPACE);
    small_disk_fill(folder);
    return n;
}

static void a_backlog_that_filled_the_disk_is_sent_once(void **state)
{
    (void)state;
    client_fixture f;
    open_store();
    fixture_init(&f, refuse_new);
    unsigned count = fill(&f);
    fixture_free(&f);
    close_store();
    small_disk_fill(folder);

    open_store();
    fixture_init(&f, refuse_new);
    assert_int_equal(stats(&f).telemetry_found, count);
    assert_int_equal(send_number(&f, count, BODY), IOTHUB_ERR_NO_SPACE);
    fixture_connect(&f);
    run_to_the_end(&f);
    assert_arrived(&f, count, count - 1);
    for (unsigned n = 0; n < 500; n++) {
        assert_int_equal(send_number(&f, count + n, BODY), IOTHUB_OK);
    }
    run_to_the_end(&f);
    fixture_free(&f);
    close_store();

    open_store();
    fixture_init(&f, refuse_new);
    assert_int_equal(stats(&f).telemetry_found, 0);
    fixture_free(&f);
    close_store();
}

/* When the hub has acknowledged ACKNOWLEDGED messages, at least the same number of new ones fit. */
static void an_acknowledged_message_makes_room_immediately(void **state)
{
    (void)state;
    enum { ACKNOWLEDGED = 100 };
    client_fixture f;
    open_store();
    fixture_init(&f, refuse_new);
    unsigned acknowledged = 0;
    unsigned next = fill(&f);
    f.hub.mute_publish = true;
    fixture_connect(&f);

    for (int round = 0; round < 20; round++) {
        for (unsigned n = 0; n < ACKNOWLEDGED; n++) {
            fake_hub_ack(&f.hub, fixture_stream(&f), acknowledged++);
            fixture_run(&f);
        }
        unsigned fitted = 0;
        while (send_number(&f, next, BODY) == IOTHUB_OK) {
            next++;
            fitted++;
        }
        assert_in_range(fitted, round == 0 ? ACKNOWLEDGED / 4 : ACKNOWLEDGED / 2, 2 * ACKNOWLEDGED);
    }
    assert_int_equal(stats(&f).store_errors, 0);
    fixture_free(&f);
    close_store();
}

int main(void)
{
#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, mount_disk, unmount_disk)
    const struct CMUnitTest tests[] = {
        WITH_DISK(the_newest_are_never_refused_when_the_oldest_may_go),
        WITH_DISK(the_oldest_may_go_behind_those_on_their_way),
        WITH_DISK(a_few_always_fit),
        WITH_DISK(a_backlog_that_filled_the_disk_is_sent_once),
        WITH_DISK(an_acknowledged_message_makes_room_immediately),
    };
    if (!small_disk_prepare()) {
        return 0;
    }
    int failed = 0;
    for (int k = SMALL_DISK_TMPFS; k <= SMALL_DISK_EXT4; k++) {
        kind = (enum small_disk_kind)k;
        char probe[] = "/tmp/iothub-test-XXXXXX";
        assert_non_null(mkdtemp(probe));
        if (small_disk_mount(kind, 2, probe)) {
            small_disk_unmount(probe);
            failed += cmocka_run_group_tests(tests, NULL, NULL);
        }
        (void)rmdir(probe);
    }
    return failed == 0 ? 0 : 1;
}
