#ifndef TEST_TCP_FIXTURE_H
#define TEST_TCP_FIXTURE_H

/**
 * @file
 * Listeners on the loopback interface, on any of its addresses.
 */

#include <stdint.h>

/**
 * Listens on the address. If *port is 0, the system chooses the port, which is returned in *port.
 */
int tcp_listen(const char *address, uint16_t *port, int backlog);

/**
 * A listener whose queue is full. The kernel drops each attempt to connect, as happens on a dead
 * route.
 */
typedef struct black_hole {
    int listener;
    int fillers[3];
} black_hole;

black_hole black_hole_make(const char *address, uint16_t *port);
void black_hole_close(const black_hole *h);

#endif
