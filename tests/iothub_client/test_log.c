#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"

/* Tests the lines of the log: their levels, and which of them the application receives. */

static unsigned lines_with(const client_fixture *f, const char *start)
{
    unsigned count = 0;

    for (const char *at = f->log; *at != '\0'; at = strchr(at, '\n') + 1) {
        count += strncmp(at, start, strlen(start)) == 0;
    }
    return count;
}

static void steps_are_information_and_failures_are_warnings(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, fixture_quiet);
    fixture_connect(&f);
    assert_int_equal(lines_with(&f, "3 session connected: "), 1);
    assert_int_equal(lines_with(&f, "3 session logging in: "), 1);
    assert_int_equal(lines_with(&f, "1 ") + lines_with(&f, "2 ") + lines_with(&f, "4 "), 0);

    fixture_cut(&f);

    assert_int_equal(lines_with(&f, "2 session waiting: "), 1);
    fixture_sleep(&f, 60000);
    assert_int_equal(lines_with(&f, "3 session connected: "), 2);
    assert_int_equal(lines_with(&f, "2 "), 1);
    fixture_free(&f);
}

static iothub_log_level level;

static void with_level(iothub_options *o)
{
    o->log_level = level;
}

/* A lost connection is a warning; a message that is too large is an error. */
static void lines_above_the_level_are_left_out(void **state)
{
    (void)state;
    static char body[9000];
    for (level = IOTHUB_LOG_ERROR; level <= IOTHUB_LOG_DEBUG; level++) {
        client_fixture f;
        fixture_init(&f, with_level);
        fixture_connect(&f);
        fake_hub_send(fixture_stream(&f), "devices/device1/messages/devicebound/", body,
                      sizeof body, 0);
        fixture_run(&f);
        fixture_cut(&f);

        assert_int_equal(lines_with(&f, "1 ") > 0, level >= IOTHUB_LOG_ERROR);
        assert_int_equal(lines_with(&f, "2 ") > 0, level >= IOTHUB_LOG_WARNING);
        assert_int_equal(lines_with(&f, "3 ") > 0, level >= IOTHUB_LOG_INFO);
        fixture_free(&f);
    }
}

static void an_unwanted_message_is_named_by_its_topic(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    fake_hub_send(fixture_stream(&f), "some/topic", "x", 1, 0);
    fixture_run(&f);

    assert_int_equal(lines_with(&f, "2 loop ignored a message on topic some/topic\n"), 1);
    fixture_free(&f);
}

static void no_callbacks(iothub_options *o)
{
    o->callbacks = (iothub_callbacks){ .log = NULL };
}

static void a_client_without_callbacks_keeps_its_words_to_itself(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, no_callbacks);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    (void)fixture_send(&f, "x");
    fixture_cut(&f);
    fixture_sleep(&f, 60000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_string_equal(f.log, "");
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_information_and_failures_are_warnings),
        cmocka_unit_test(lines_above_the_level_are_left_out),
        cmocka_unit_test(an_unwanted_message_is_named_by_its_topic),
        cmocka_unit_test(a_client_without_callbacks_keeps_its_words_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
