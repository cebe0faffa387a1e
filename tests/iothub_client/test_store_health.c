#include <stdio.h>

#include "context_fixture.h"
#include "fake_store.h"
#include "telemetry/store_health.h"

static context_fixture f;
static fake_store store;
static store_health health;
static char line[256];
static unsigned lines;

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)user;
    assert_int_equal(level, IOTHUB_LOG_ERROR);
    assert_string_equal(module, "store");
    snprintf(line, sizeof line, "%s", text);
    lines++;
}

static int setup(void **state)
{
    (void)state;
    context_fixture_init(&f);
    fake_store_init(&store);
    f.context.options.store = &store.base;
    f.context.options.callbacks.log = on_log;
    store_health_init(&health, &f.context);
    lines = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_store_free(&store);
    context_fixture_free(&f);
    return 0;
}

static mqc_time now(void)
{
    return context_now(&f.context);
}

static void a_store_that_works_does_not_rest(void **state)
{
    (void)state;
    assert_false(store_health_rests(&health));
    assert_true(store_health_check(&health, PLAT_OK));
    /* The end of the records is not a failure. */
    assert_true(store_health_check(&health, PLAT_EOF));
    assert_true(store_health_resume(&health, now()));
    store_health_log(&health);
    assert_int_equal(lines, 0);
    assert_int_equal(health.errors, 0);
}

static void a_failure_is_counted_logged_once_and_asks_for_a_turn(void **state)
{
    (void)state;
    assert_false(store_health_check(&health, PLAT_ERR_STORE));
    assert_true(f.context.poked);
    assert_int_equal(health.errors, 1);
    assert_int_equal(lines, 0); /* no line yet, because callbacks run only in a turn */
    store_health_log(&health);
    store_health_log(&health);
    assert_int_equal(lines, 1);
    assert_string_equal(line, store_health_why(&health, PLAT_ERR_STORE));
    store_health_fail(&health, PLAT_ERR_STORE, "a text of its own");
    store_health_log(&health);
    assert_string_equal(line, "a text of its own");
    assert_int_equal(lines, 2);
}

static void why_is_the_text_of_the_store_or_of_the_code(void **state)
{
    (void)state;
    store.detail = "the disk is on fire";
    assert_string_equal(store_health_why(&health, PLAT_ERR_STORE), "the disk is on fire");
    store.detail = "";
    assert_string_equal(store_health_why(&health, PLAT_ERR_FULL), plat_result_str(PLAT_ERR_FULL));
}

/* The rest lasts one second at first and doubles each time, up to a minute. */
static void the_store_rests_longer_after_each_failure_up_to_a_minute(void **state)
{
    (void)state;
    uint64_t last = 0;

    for (int n = 0; n < 12; n++) {
        store_health_fail(&health, PLAT_ERR_STORE, NULL);
        const uint64_t rest = health.retry_at - now();
        assert_true(store_health_rests(&health));
        assert_in_range(rest, n == 0 ? 1000 : last, 60000);
        assert_true(n == 0 || rest == 2 * last || rest == 60000);
        fake_clock_advance(&f.platform.clock, rest - 1);
        assert_false(store_health_resume(&health, now()));
        assert_true(store_health_rests(&health));
        fake_clock_advance(&f.platform.clock, 1);
        assert_true(store_health_resume(&health, now()));
        assert_false(store_health_rests(&health));
        last = rest;
    }
    assert_int_equal(last, 60000);
    store_health_recover(&health);
    store_health_fail(&health, PLAT_ERR_STORE, NULL);
    assert_int_equal(health.retry_at, now() + 1000);
}

static void a_refusal_is_counted_and_nothing_else(void **state)
{
    (void)state;
    store_health_count_refusal(&health);
    assert_int_equal(health.errors, 1);
    assert_false(store_health_rests(&health));
    store_health_log(&health);
    assert_int_equal(lines, 0);
}

static void a_removal_that_works_ends_the_row_of_failures(void **state)
{
    (void)state;
    plat_store_record r = { .body = "x", .body_len = 1 };
    assert_int_equal(store.base.ops->append(&store.base, &r, now()), PLAT_OK);
    assert_int_equal(store_health_info(&health).count, 1);
    fake_store_fail(&store, 1, 1, PLAT_ERR_STORE);
    assert_false(store_health_remove(&health, r.seq));
    assert_int_equal(health.failures, 1);
    assert_true(store_health_remove(&health, r.seq));
    assert_int_equal(health.failures, 0);
    assert_int_equal(health.errors, 1);
    assert_int_equal(store_health_info(&health).count, 0);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    assert_true(store_health_valid(&health));
    health.retry_at = 5;
    assert_false(store_health_valid(&health));
    health.retry_at = IOTHUB_NEVER;
    health.fault = PLAT_ERR_STORE;
    assert_false(store_health_valid(&health));
    health.errors = 1;
    assert_true(store_health_valid(&health));
    health.failures = 2;
    assert_false(store_health_valid(&health));
    health.failures = 1;
    health.fault = PLAT_EOF;
    assert_false(store_health_valid(&health));
}
#endif

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_store_that_works_does_not_rest),
        WITH_STORE(a_failure_is_counted_logged_once_and_asks_for_a_turn),
        WITH_STORE(why_is_the_text_of_the_store_or_of_the_code),
        WITH_STORE(the_store_rests_longer_after_each_failure_up_to_a_minute),
        WITH_STORE(a_refusal_is_counted_and_nothing_else),
        WITH_STORE(a_removal_that_works_ends_the_row_of_failures),
#ifndef NDEBUG
        WITH_STORE(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
