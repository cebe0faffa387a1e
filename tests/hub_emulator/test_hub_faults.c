/* Makes every request to the hub with a failure or a kill in each of its system calls; see
 * fault_sweep.h. */

#include "hub_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_sweep.h"
#include "faulty_disk.h"

/* --- what is asked for; true: answered with success ---------------------- */

/* The emulator names the file in its log, but not in the answer to the client. */
static void expect_no_file_named(const hub_fixture *f, const char *answer)
{
    if (strstr(answer, ".json") != NULL || strstr(answer, "./") != NULL) {
        fail_msg("names a file: %s", answer);
    }
    assert_non_null(strstr(f->notices, ".json: cannot be "));
}

static bool ask(hub_fixture *f, const char *method, const char *path, const char *body)
{
    hub_exchange x = { .fixture = f, .if_match = "*" };
    int status = hub_ask(&x, method, path, body);
    bool failed = status == 500 || (status == 400 && strstr(hub_reply(&x), "ServerError") != NULL);

    if (status >= 300 && !failed) {
        fail_msg("%s %s: %d %s", method, path, status, hub_reply(&x));
    }
    if (failed) {
        expect_no_file_named(f, hub_reply(&x));
    }
    hub_exchange_end(&x);
    return !failed;
}

static bool create_device(hub_fixture *f)
{
    hub_exchange x = { .fixture = f };
    int status = hub_ask(&x, "PUT", "/devices/new", "{}");

    hub_exchange_end(&x);
    return status == 200;
}

static bool create_module(hub_fixture *f)
{
    hub_exchange x = { .fixture = f };
    int status = hub_ask(&x, "PUT", "/devices/a/modules/new", "{}");

    hub_exchange_end(&x);
    return status == 200;
}

static bool disable(hub_fixture *f)
{
    return ask(f, "PUT", "/devices/a", "{\"status\":\"disabled\",\"statusReason\":\"x\"}");
}

static bool patch_twin(hub_fixture *f)
{
    return ask(f, "PATCH", "/twins/a",
               "{\"tags\":{\"t\":2},\"properties\":{\"desired\":{\"d\":2}}}");
}

static bool replace_twin(hub_fixture *f)
{
    return ask(f, "PUT", "/twins/a", "{\"tags\":{},\"properties\":{\"desired\":{\"e\":2}}}");
}

static bool delete_module(hub_fixture *f)
{
    return ask(f, "DELETE", "/devices/a/modules/m", NULL);
}

static bool delete_device(hub_fixture *f)
{
    return ask(f, "DELETE", "/devices/a", NULL);
}

static bool bulk_create(hub_fixture *f)
{
    return ask(f, "POST", "/devices",
               "[{\"id\":\"b\",\"importMode\":\"create\",\"tags\":{\"x\":1},"
               "\"properties\":{\"desired\":{\"y\":1}}}]");
}

static bool bulk_update(hub_fixture *f)
{
    return ask(f, "POST", "/devices",
               "[{\"id\":\"a\",\"importMode\":\"createOrUpdate\",\"status\":\"disabled\","
               "\"tags\":{\"x\":1},\"properties\":{\"desired\":{\"y\":1}}}]");
}

static bool bulk_delete(hub_fixture *f)
{
    return ask(f, "POST", "/devices", "[{\"id\":\"a\",\"importMode\":\"delete\"}]");
}

static bool send_message(hub_fixture *f)
{
    return ask(f, "POST", "/emulator/devices/a/messages", "{\"body\":\"m4\"}");
}

static bool purge(hub_fixture *f)
{
    return ask(f, "DELETE", "/devices/a/commands", NULL);
}

static bool report(hub_fixture *f)
{
    fixture_forget_sent(f);
    (void)fixture_publish(f, &world_client, "$iothub/twin/PATCH/properties/reported/?$rid=1",
                          "{\"r\":2}");
    assert_int_equal(f->sent_count, 1);
    bool ok = strncmp(f->sent[0].topic, "$iothub/twin/res/204/", 21) == 0;
    if (!ok) {
        expect_no_file_named(f, f->sent[0].payload);
    }
    return ok;
}

static bool send_telemetry(hub_fixture *f)
{
    return fixture_publish(f, &world_client, "devices/device1/messages/events/", "three") == HUB_OK;
}

static bool announce_model(hub_fixture *f)
{
    char *token =
        fixture_token("localhost/devices/device1", fixture_device(f, "device1")->primary_key,
                      f->now_ms / 1000 + 3600, NULL);
    const hub_credentials c = {
        .client_id = "device1",
        .user_name = "localhost/device1/?api-version=2021-04-12&model-id=dtmi%3Ax%3By%3B1",
        .password = token,
    };
    static const int second;
    hub_fault fault;

    hub_result r = hub_connect(&f->hub, &second, &c, false, &fault);
    free(token);
    if (r == HUB_OK) {
        hub_disconnected(&f->hub, &second);
    }
    return r == HUB_OK;
}

static const fault_request requests[] = {
    { "create a device", create_device },
    { "create a module", create_module },
    { "disable", disable },
    { "patch a twin", patch_twin },
    { "replace a twin", replace_twin },
    { "delete a module", delete_module },
    { "delete a device", delete_device },
    { "bulk create", bulk_create },
    { "bulk update", bulk_update },
    { "bulk delete", bulk_delete },
    { "send a message", send_message },
    { "purge the messages", purge },
    { "report", report },
    { "send telemetry", send_telemetry },
    { "announce a model", announce_model },
};

/* --- all requests ------------------------------------------------------- */

static char *describe(hub_fixture *f)
{
    return world_describe(&f->hub);
}

static const fault_world world = {
    .requests = requests,
    .count = sizeof requests / sizeof requests[0],
    .make = world_make,
    .end = world_end,
    .restart = fixture_restart,
    .describe = describe,
};

static void what_fails_is_not_in_effect_and_what_succeeds_stays(void **state)
{
    (void)state;
    fault_sweep_failures(&world);
}

static void a_kill_leaves_the_state_before_or_after(void **state)
{
    (void)state;
    fault_sweep_kills(&world);
}

/* --- again under the same id -------------------------------------------- */

static void register_again(hub_fixture *f)
{
    hub_exchange x = { .fixture = f };

    if (hub_registry_find_client(&f->hub.registry, "a") == NULL) {
        assert_int_equal(hub_ask(&x, "PUT", "/devices/a", "{}"), 200);
        assert_int_equal(hub_ask(&x, "PUT", "/devices/a/modules/m", "{}"), 200);
        const hub_identity *id = fixture_device(f, "a");
        assert_int_equal(id->c2d.count, 0);
        assert_null(id->twin.tags->child);
        assert_null(id->twin.desired.values->child);
    }
    hub_exchange_end(&x);
}

/* The device was deleted despite a failure or a kill: nothing of it may come back, not even
 * later. */
static bool delete_and_register_again(faulty_mode mode, unsigned call)
{
    hub_fixture *f = world_make();
    int status;

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        faulty_disk(mode, call, EIO);
        (void)delete_device(f);
        bool reached = faulty_disk_end();
        register_again(f);
        _exit(reached ? FAULTY_KILLED : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    bool reached = WEXITSTATUS(status) == FAULTY_KILLED;
    for (int i = 0; i < 2; i++) {
        fixture_restart(f);
        register_again(f);
        const hub_identity *id = fixture_device(f, "a");
        bool old = id->c2d.count == 3 && id->twin.tags->child != NULL;
        bool fresh = id->c2d.count == 0 && id->twin.tags->child == NULL;
        assert_true(old || fresh);
        assert_non_null(hub_registry_find_client(&f->hub.registry, "a/m"));
    }
    world_end(f);
    return reached;
}

static void a_device_that_is_registered_again_inherits_nothing(void **state)
{
    static const faulty_mode modes[] = { FAULTY_ONCE, FAULTY_FROM_NOW_ON, FAULTY_KILL_BEFORE,
                                         FAULTY_KILL_AFTER };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        for (unsigned call = 0; delete_and_register_again(modes[i], call); call++) {
        }
    }
}

static void telemetry_after_a_failure_costs_no_earlier_event(void **state)
{
    (void)state;
    hub_fixture *f = world_make();

    for (unsigned call = 0; call < 3; call++) { /* also if undoing the write fails */
        faulty_disk(FAULTY_FROM_NOW_ON, call, ENOSPC);
        bool ok = send_telemetry(f);
        (void)faulty_disk_end();
        assert_int_equal(ok, call > 0);
        assert_true(send_telemetry(f));
    }
    char *before = world_describe(&f->hub);
    fixture_restart(f);
    char *after = world_describe(&f->hub);
    assert_string_equal(before, after);
    free(before);
    free(after);
    world_end(f);
}

/* Like the real hub, the reply has status 400 for any reason, and the reason is given for each
 * entry. */
static void a_bulk_entry_that_cannot_be_written_fails_alone(void **state)
{
    (void)state;
    hub_fixture *f = world_make();
    hub_exchange x = { .fixture = f };

    faulty_disk(FAULTY_ONCE, 0, ENOSPC);
    int status = hub_ask(&x, "POST", "/devices",
                         "[{\"id\":\"b\",\"importMode\":\"create\"},"
                         "{\"id\":\"c\",\"importMode\":\"create\"}]");
    assert_true(faulty_disk_end());
    assert_int_equal(status, 400);
    assert_string_equal(hub_reply(&x),
                        "{\"isSuccessful\":false,\"errors\":[{\"deviceId\":\"b\","
                        "\"errorCode\":\"ServerError\",\"errorStatus\":\"the state directory "
                        "cannot be written: No space left on device\"}],\"warnings\":[]}");
    assert_null(hub_registry_find_client(&f->hub.registry, "b"));
    assert_non_null(hub_registry_find_client(&f->hub.registry, "c"));
    hub_exchange_end(&x);
    world_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_not_in_effect_and_what_succeeds_stays),
        cmocka_unit_test(a_kill_leaves_the_state_before_or_after),
        cmocka_unit_test(a_device_that_is_registered_again_inherits_nothing),
        cmocka_unit_test(telemetry_after_a_failure_costs_no_earlier_event),
        cmocka_unit_test(a_bulk_entry_that_cannot_be_written_fails_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
