#ifndef TEST_FAKE_DNS_H
#define TEST_FAKE_DNS_H

/**
 * @file
 * Link this and getaddrinfo(3) asks no name server: "missing..." does not exist,
 * "silent..." gets no answer in time, "slow..." hangs until fake_dns_open_gate, and
 * every other name has the addresses of fake_dns_set.
 */

#include <stddef.h>

#define FAKE_DNS_MAX 16

void fake_dns_set(const char *const *addresses, size_t count);

/** Make slow names hang from now on. */
void fake_dns_close_gate(void);

/** Let all of them continue, and wait until each call that hung has returned. */
void fake_dns_open_gate(void);

/** Wait until `hanging` calls hang, and return the number of calls for names so far. */
unsigned fake_dns_await(unsigned hanging);

#endif
