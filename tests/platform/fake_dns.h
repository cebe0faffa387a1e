#ifndef TEST_FAKE_DNS_H
#define TEST_FAKE_DNS_H

/**
 * @file
 * A replacement of getaddrinfo(3) for tests that link this file. It asks no name server: a name
 * that begins with "missing" does not exist, "silent..." gets no answer in time, "slow..." hangs
 * until fake_dns_open_gate is called, and every other name has the addresses of fake_dns_set.
 */

#include <stddef.h>

#define FAKE_DNS_MAX 16

void fake_dns_set(const char *const *addresses, size_t count);

/** Makes look-ups of slow names hang from now on. */
void fake_dns_close_gate(void);

/** Lets all hanging look-ups continue, and waits until each of them has returned. */
void fake_dns_open_gate(void);

/** Waits until `hanging` look-ups hang. Returns the number of look-ups of names so far. */
unsigned fake_dns_await(unsigned hanging);

#endif
