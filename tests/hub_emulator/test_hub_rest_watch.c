#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/text.h"
#include "rest/rest_watch.h"

#define EVENTS 10

static hub_store store;
static hub_telemetry telemetry;

/* Makes the events 1 to 10, alternately of the devices a and b. */
static int make_telemetry(void **state)
{
    static char dir[64];
    hub_fault fault;

    (void)state;
    strcpy(dir, P_tmpdir "/hub_watch.XXXXXX");
    assert_non_null(mkdtemp(dir));
    hub_store_open(&store, dir, NULL, NULL);
    assert_int_equal(hub_telemetry_open(&telemetry, &store, EVENTS, 100000, &fault), HUB_OK);
    for (int i = 0; i < EVENTS; i++) {
        const hub_event_login login = { .device = i % 2 == 0 ? "a" : "b",
                                        .generation_id = "1",
                                        .auth_scope = "device",
                                        .auth_type = "sas",
                                        .model_id = "" };
        hub_event_sender *sender = hub_event_sender_new(&login);
        hub_bag bag = { 0 };
        const hub_event_input in = {
            .sender = sender, .bag = &bag, .body = "x", .len = 1, .now_ms = 1
        };
        assert_int_equal(hub_telemetry_add(&telemetry, &in, &fault), HUB_OK);
        hub_event_sender_free(sender);
    }
    return 0;
}

static int remove_telemetry(void **state)
{
    hub_fault fault;
    char *dir = hub_strdup(store.dir);

    (void)state;
    hub_telemetry_close(&telemetry);
    (void)hub_store_remove(&store, "events.jsonl", &fault);
    hub_store_close(&store);
    int r = rmdir(dir);
    free(dir);
    return r;
}

/* Returns the numbers of the events in a text, each followed by a space. */
static const char *numbers(const hub_text *t)
{
    static char out[256];
    const char *at = t->p;

    out[0] = '\0';
    while (at != NULL && (at = strstr(at, "\"sequence\":")) != NULL) {
        at += strlen("\"sequence\":");
        strncat(out, at, strspn(at, "0123456789"));
        strcat(out, " ");
    }
    return out;
}

static void a_watch_takes_what_is_there_and_goes_on_behind_it(void **state)
{
    rest_watch w = { .next = 4, .left = UINT64_MAX };
    hub_text out = { 0 };

    (void)state;
    rest_watch_take(&w, &telemetry, SIZE_MAX, &out);
    assert_string_equal(numbers(&out), "4 5 6 7 8 9 10 ");
    assert_int_equal(out.p[out.len - 1], '\n');
    assert_int_equal(w.next, EVENTS + 1);
    assert_false(rest_watch_over(&w, 0));
    hub_text_cut(&out, 0);
    rest_watch_take(&w, &telemetry, SIZE_MAX, &out);
    assert_int_equal(out.len, 0);
    hub_text_free(&out);
}

static void a_watch_of_one_device_gets_no_others(void **state)
{
    rest_watch w = { .next = 1, .left = UINT64_MAX, .device = hub_strdup("b") };
    hub_text out = { 0 };

    (void)state;
    rest_watch_take(&w, &telemetry, SIZE_MAX, &out);
    assert_string_equal(numbers(&out), "2 4 6 8 10 ");
    hub_text_free(&out);
    rest_watch_free(&w);
    assert_null(w.device);
}

static void a_watch_ends_after_its_number_of_events(void **state)
{
    (void)state;
    for (uint64_t left = 0; left <= EVENTS; left++) {
        rest_watch w = { .next = 1, .left = left };
        hub_text out = { 0 };

        rest_watch_take(&w, &telemetry, SIZE_MAX, &out);
        assert_int_equal(w.next, 1 + left);
        assert_true(rest_watch_over(&w, 0));
        hub_text_free(&out);
    }
}

static void a_watch_stops_at_the_wanted_length(void **state)
{
    rest_watch w = { .next = 1, .left = UINT64_MAX };
    hub_text out = { 0 };

    (void)state;
    rest_watch_take(&w, &telemetry, 1, &out);
    assert_string_equal(numbers(&out), "1 ");
    rest_watch_take(&w, &telemetry, out.len + 1, &out);
    assert_string_equal(numbers(&out), "1 2 ");
    rest_watch_take(&w, &telemetry, out.len, &out);
    assert_string_equal(numbers(&out), "1 2 ");
    hub_text_free(&out);
}

static void a_watch_is_over_at_its_deadline_or_when_it_is_ended(void **state)
{
    rest_watch w = { .next = 1, .left = 1, .deadline_ms = 100 };

    (void)state;
    assert_false(rest_watch_over(&w, 99));
    assert_true(rest_watch_over(&w, 100));
    w.deadline_ms = 0; /* 0 means no deadline */
    assert_false(rest_watch_over(&w, INT64_MAX));
    rest_watch_end(&w);
    assert_true(rest_watch_over(&w, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_takes_what_is_there_and_goes_on_behind_it),
        cmocka_unit_test(a_watch_of_one_device_gets_no_others),
        cmocka_unit_test(a_watch_ends_after_its_number_of_events),
        cmocka_unit_test(a_watch_stops_at_the_wanted_length),
        cmocka_unit_test(a_watch_is_over_at_its_deadline_or_when_it_is_ended),
    };
    return cmocka_run_group_tests(tests, make_telemetry, remove_telemetry);
}
