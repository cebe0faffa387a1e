/* Tests how the front hands connections to the HTTP server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "front/call.h"

static int pair[2];
static char chain[HUB_CALL_CHAIN_MAX];

static int start(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

static int stop(void **state)
{
    (void)state;
    (void)close(pair[0]);
    (void)close(pair[1]);
    return 0;
}

static void each_connection_arrives_with_its_chain(void **state)
{
    static const char *const chains[] = { "", "MIIB,MIIC", "x" };
    char got[8] = "";

    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        size_t len = 0;
        int ours = hub_call_connect(pair[0], chains[i], strlen(chains[i]));
        assert_true(ours >= 0);
        int theirs = hub_call_receive(pair[1], chain, &len);
        assert_true(theirs >= 0);
        assert_int_equal(len, strlen(chains[i]));
        assert_memory_equal(chain, chains[i], len);
        assert_int_equal(send(ours, "ping", 4, 0), 4);
        assert_int_equal(recv(theirs, got, sizeof got, 0), 4);
        assert_int_equal(send(theirs, "pong!", 5, 0), 5);
        assert_int_equal(recv(ours, got, sizeof got, 0), 5);
        (void)close(theirs);
        assert_int_equal(recv(ours, got, sizeof got, 0), 0);
        (void)close(ours);
    }
}

static void the_longest_chain_arrives_whole(void **state)
{
    static char text[HUB_CALL_CHAIN_MAX];
    size_t len = 0;

    (void)state;
    memset(text, 'M', sizeof text);
    int ours = hub_call_connect(pair[0], text, sizeof text);
    int theirs = hub_call_receive(pair[1], chain, &len);
    assert_true(ours >= 0 && theirs >= 0);
    assert_int_equal(len, sizeof text);
    assert_memory_equal(chain, text, len);
    (void)close(ours);
    (void)close(theirs);
}

static void without_a_message_nothing_is_received(void **state)
{
    size_t len = 0;

    (void)state;
    assert_int_equal(hub_call_receive(pair[1], chain, &len), -1);
    assert_int_equal(send(pair[0], "+MIIB", 5, 0), 5); /* a message without a descriptor */
    assert_int_equal(hub_call_receive(pair[1], chain, &len), -1);
    (void)close(pair[0]);
    assert_int_equal(hub_call_receive(pair[1], chain, &len), -1);
    pair[0] = -1;
}

/* Neither a full queue nor a missing reader or descriptor leaves a descriptor behind. */
static void a_call_that_fails_leaves_nothing(void **state)
{
    const int first_free = dup(pair[0]);
    struct rlimit limit;
    struct rlimit none;
    size_t len = 0;

    (void)state;
    (void)close(first_free);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t)first_free + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(hub_call_connect(pair[0], "", 0), -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(dup(pair[0]), first_free);
    (void)close(first_free);
    assert_int_equal(hub_call_receive(pair[1], chain, &len), -1);
    assert_int_equal(hub_call_connect(-1, "", 0), -1);
    (void)close(pair[1]);
    pair[1] = -1;
    assert_int_equal(hub_call_connect(pair[0], "", 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_connection_arrives_with_its_chain, start, stop),
        cmocka_unit_test_setup_teardown(the_longest_chain_arrives_whole, start, stop),
        cmocka_unit_test_setup_teardown(without_a_message_nothing_is_received, start, stop),
        cmocka_unit_test_setup_teardown(a_call_that_fails_leaves_nothing, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
