#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/broker_log.h"

static void lines_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        hub_broker_log_kind kind;
        const char *client_id;
        unsigned packet_id;
    } cases[] = {
        { "Sending PUBLISH to device1 (d0, q1, r0, m7, 'devices/device1/x', ... (5 bytes))",
          HUB_LOG_SENT, "device1", 7 },
        { "Sending PUBLISH to a(b) (d0, q1, r0, m65535, 'x', ... (5 bytes))", HUB_LOG_SENT, "a(b)",
          65535 },
        { "Sending PUBLISH to d (d1, q1, r0, m7, 'x', ... (5 bytes))", HUB_LOG_CHATTER, "d", 7 },
        { "Sending PUBLISH to d (d0, q0, r0, m0, 'x', ... (5 bytes))", HUB_LOG_CHATTER, "d", 0 },
        { "Received PUBACK from d/m (Mid: 12, RC:0)", HUB_LOG_ACKNOWLEDGED, "d/m", 12 },
        { "Denied PUBLISH from d (d0, q1, r0, m1, '$SYS/x', ... (1 bytes))", HUB_LOG_FORBIDDEN, "d",
          0 },
        { "Denied PUBLISH from d (d0, q1, r0, m1, 'devices/d/messages/events/a='$SYS', ...",
          HUB_LOG_CHATTER, "d", 0 },
        { "Received PINGREQ from d", HUB_LOG_CHATTER, "", 0 },
        { "Client d disconnected.", HUB_LOG_NOTICE, "", 0 },
        { "Received PUBACK from ", HUB_LOG_CHATTER, "", 0 },
        { "", HUB_LOG_NOTICE, "", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_broker_log_entry e = hub_broker_log_read(cases[i].line);
        if (e.kind != cases[i].kind || strcmp(e.client_id, cases[i].client_id) != 0 ||
            (e.kind != HUB_LOG_FORBIDDEN && e.packet_id != cases[i].packet_id)) {
            fail_msg("%s: kind %d, client %s, id %u", cases[i].line, (int)e.kind, e.client_id,
                     e.packet_id);
        }
    }
}

static void no_truncation_of_a_line_is_mistaken(void **state)
{
    (void)state;
    static const char line[] = "Received PUBACK from device1 (Mid: 12, RC:0)";

    for (size_t len = 0; len < strlen("Received PUBACK from device1 (Mid: 12,"); len++) {
        char cut[sizeof line] = "";
        memcpy(cut, line, len);
        hub_broker_log_entry e = hub_broker_log_read(cut);
        if (e.kind == HUB_LOG_ACKNOWLEDGED && e.packet_id != 12 && e.packet_id != 1) {
            fail_msg("%s", cut);
        }
    }
}

static void count_line(void *user, const char *line)
{
    char *seen = user;
    strcat(seen, line);
    strcat(seen, "|");
}

static void a_drained_log_starts_again(void **state)
{
    (void)state;
    char seen[64] = "";
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_int_equal(write(fd, "one\ntwo\n", 8), 8);
    hub_broker_log_drain(fd, count_line, seen);
    assert_string_equal(seen, "one|two|");
    hub_broker_log_drain(fd, count_line, seen);
    assert_string_equal(seen, "one|two|");
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    assert_int_equal(write(fd, "three\n", 6), 6);
    hub_broker_log_drain(fd, count_line, seen);
    assert_string_equal(seen, "one|two|three|");
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_understood),
        cmocka_unit_test(no_truncation_of_a_line_is_mistaken),
        cmocka_unit_test(a_drained_log_starts_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
