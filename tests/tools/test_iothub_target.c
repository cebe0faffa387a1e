#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/args.h"
#include "hub/target.h"

/* Runs in a child process, because a refusal ends the process. */
static int status_of(const char *arg)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        char name[] = "iothub service";
        struct argp_state state = { .name = name };
        hub_target target;
        (void)close(STDERR_FILENO);
        hub_target_read(&state, arg, &target);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static hub_target read_target(const char *arg)
{
    struct argp_state state = { .name = NULL };
    hub_target target;

    memset(&target, 'x', sizeof target);
    hub_target_read(&state, arg, &target);
    return target;
}

static void a_target_is_a_device_or_a_module_of_it(void **state)
{
    hub_target t = read_target("device1");

    (void)state;
    assert_string_equal(t.device, "device1");
    assert_string_equal(t.module, "");
    t = read_target("device1/camera");
    assert_string_equal(t.device, "device1");
    assert_string_equal(t.module, "camera");
    /* As copied from elsewhere, with white space around it. */
    t = read_target(" \tdevice1/camera\r\n");
    assert_string_equal(t.device, "device1");
    assert_string_equal(t.module, "camera");
    t = read_target("-.+%_#*?!(),=@$':");
    assert_string_equal(t.device, "-.+%_#*?!(),=@$':");
}

static void an_id_has_1_to_128_characters(void **state)
{
    char id[160];

    (void)state;
    memset(id, 'd', sizeof id);
    id[128] = '\0';
    assert_int_equal(strlen(read_target(id).device), 128);
    id[128] = 'd';
    id[129] = '\0';
    assert_int_equal(status_of(id), CLI_EXIT_USAGE);
    assert_int_equal(status_of(""), CLI_EXIT_USAGE);
    assert_int_equal(status_of(" "), CLI_EXIT_USAGE);
}

static void what_is_no_id_is_wrong_usage(void **state)
{
    static const char *const bad[] = { "/module",
                                       "device/",
                                       "device/a/b",
                                       "a b",
                                       "a\\b",
                                       "d\x80",
                                       "HostName=h;DeviceId=d;SharedAccessKey=k",
                                       "a;b" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(status_of(bad[i]), CLI_EXIT_USAGE);
    }
    assert_int_equal(status_of("device1/camera"), 0);
}

static void a_path_escapes_what_an_id_may_hold(void **state)
{
    static const struct {
        const char *target;
        const char *path;
    } cases[] = {
        { "device1", "/twins/device1/methods?x" },
        { "device1/camera", "/twins/device1/modules/camera/methods?x" },
        { "a#?%", "/twins/a%23%3F%25/methods?x" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const hub_target t = read_target(cases[i].target);
        char *path = hub_target_path("/twins/", &t, "/methods?x");
        assert_string_equal(path, cases[i].path);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_a_device_or_a_module_of_it),
        cmocka_unit_test(an_id_has_1_to_128_characters),
        cmocka_unit_test(what_is_no_id_is_wrong_usage),
        cmocka_unit_test(a_path_escapes_what_an_id_may_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
