#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "posix/address.h"

static plat_address address_of(int family, const char *text)
{
    plat_address a;

    memset(&a, 0xFF, sizeof a);
    a.any.sa_family = (sa_family_t)family;
    void *bytes = family == AF_INET6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr;
    assert_int_equal(inet_pton(family, text, bytes), 1);
    return a;
}

static void the_length_is_that_of_the_family(void **state)
{
    (void)state;
    const plat_address v4 = address_of(AF_INET, "127.0.0.1");
    const plat_address v6 = address_of(AF_INET6, "::1");

    assert_int_equal(plat_address_len(&v4), sizeof(struct sockaddr_in));
    assert_int_equal(plat_address_len(&v6), sizeof(struct sockaddr_in6));
}

static void a_port_is_stored_in_network_order_and_changes_nothing_else(void **state)
{
    (void)state;
    static const uint16_t ports[] = { 0, 1, 443, 8883, 65535 };

    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        plat_address v4 = address_of(AF_INET, "192.0.2.7");
        plat_address v6 = address_of(AF_INET6, "2001:db8::7");
        plat_address_set_port(&v4, ports[i]);
        plat_address_set_port(&v6, ports[i]);
        assert_int_equal(ntohs(v4.v4.sin_port), ports[i]);
        assert_int_equal(ntohs(v6.v6.sin6_port), ports[i]);
        v4.v4.sin_port = v6.v6.sin6_port = 0xFFFF; /* the port that address_of has filled in */
        assert_memory_equal(&v4, &(plat_address){ .v4 = address_of(AF_INET, "192.0.2.7").v4 },
                            sizeof v4.v4);
        assert_memory_equal(&v6, &(plat_address){ .v6 = address_of(AF_INET6, "2001:db8::7").v6 },
                            sizeof v6.v6);
    }
}

static void each_address_has_its_usual_text(void **state)
{
    (void)state;
    static const struct {
        int family;
        const char *text;
    } cases[] = {
        { AF_INET, "0.0.0.0" },
        { AF_INET, "255.255.255.255" },
        { AF_INET6, "::" },
        { AF_INET6, "2001:db8::1" },
        { AF_INET6, "::ffff:192.168.100.200" },
        { AF_INET6, "1111:2222:3333:4444:5555:6666:7777:8888" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PLAT_ADDRESS_TEXT];
        const plat_address a = address_of(cases[i].family, cases[i].text);
        assert_string_equal(plat_address_text(&a, text), cases[i].text);
    }
}

static void an_address_of_another_family_has_a_question_mark_for_a_text(void **state)
{
    (void)state;
    char text[PLAT_ADDRESS_TEXT];
    plat_address a = address_of(AF_INET, "127.0.0.1");

    a.any.sa_family = AF_UNIX;
    assert_string_equal(plat_address_text(&a, text), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_is_that_of_the_family),
        cmocka_unit_test(a_port_is_stored_in_network_order_and_changes_nothing_else),
        cmocka_unit_test(each_address_has_its_usual_text),
        cmocka_unit_test(an_address_of_another_family_has_a_question_mark_for_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
