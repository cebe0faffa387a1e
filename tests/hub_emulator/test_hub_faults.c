/* Makes every request with a failure or a kill in each of its system calls. What was answered
 * with success must be there afterwards and after a restart, what was answered with a failure
 * must not. After a kill, either is allowed. */

#include "hub_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static const struct request {
    const char *name;
    bool (*make)(hub_fixture *f);
} requests[] = {
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

/* --- before and after -------------------------------------------------- */

static char *describe_after(const struct request *r, bool make_it)
{
    hub_fixture *f = world_make();

    assert_true(!make_it || r->make(f));
    char *text = world_describe(&f->hub);
    fixture_restart(f);
    char *restarted = world_describe(&f->hub);
    assert_string_equal(text, restarted);
    free(restarted);
    world_end(f);
    return text;
}

typedef struct expected {
    const struct request *request;
    char *before;
    char *after;
} expected;

static void expect(const hub_fixture *f, const expected *e, const char *one, const char *other,
                   const char *when, unsigned call)
{
    char *text = world_describe(&f->hub);

    if (strcmp(text, one) != 0 && strcmp(text, other) != 0) {
        fail_msg("%s, call %u, %s:\n%s-- instead of\n%s-- or\n%s-- %s", e->request->name, call,
                 when, text, one, other, f->notices);
    }
    free(text);
}

/* --- failures ----------------------------------------------------------- */

static bool fail_in_call(const expected *e, faulty_mode mode, unsigned call, int error)
{
    hub_fixture *f = world_make();

    faulty_disk(mode, call, error);
    bool ok = e->request->make(f);
    bool reached = faulty_disk_end();
    const char *now = ok ? e->after : e->before;

    expect(f, e, now, now, ok ? "after success" : "after failure", call);
    fixture_restart(f);
    expect(f, e, now, now, ok ? "restarted after success" : "restarted after failure", call);
    world_end(f);
    return reached;
}

static void sweep_failures(const expected *e)
{
    static const int errors[] = { ENOSPC, EIO, EMFILE };
    unsigned calls = 0;

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        for (calls = 0; fail_in_call(e, FAULTY_ONCE, calls, errors[i]); calls++) {
        }
        for (calls = 0; fail_in_call(e, FAULTY_FROM_NOW_ON, calls, errors[i]); calls++) {
        }
    }
    assert_true(calls > 0);
}

/* --- kills -------------------------------------------------------------- */

static bool kill_in_call(const expected *e, faulty_mode mode, unsigned call)
{
    hub_fixture *f = world_make();
    int status;

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        faulty_disk(mode, call, 0);
        (void)e->request->make(f);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    bool killed = WEXITSTATUS(status) == FAULTY_KILLED;
    fixture_restart(f);
    expect(f, e, killed ? e->before : e->after, e->after, "after a kill", call);
    world_end(f);
    return killed;
}

static void sweep_kills(const expected *e)
{
    unsigned calls;

    for (calls = 0; kill_in_call(e, FAULTY_KILL_BEFORE, calls); calls++) {
    }
    assert_true(calls > 0);
    for (calls = 0; kill_in_call(e, FAULTY_KILL_AFTER, calls); calls++) {
    }
}

static void sweep(void (*one)(const expected *e))
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        expected e = {
            .request = &requests[i],
            .before = describe_after(&requests[i], false),
            .after = describe_after(&requests[i], true),
        };
        assert_string_not_equal(e.before, e.after);
        one(&e);
        free(e.before);
        free(e.after);
    }
}

static void what_fails_is_not_in_effect_and_what_succeeds_stays(void **state)
{
    (void)state;
    sweep(sweep_failures);
}

static void a_kill_leaves_the_state_before_or_after(void **state)
{
    (void)state;
    sweep(sweep_kills);
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
