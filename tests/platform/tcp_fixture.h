#ifndef TEST_TCP_FIXTURE_H
#define TEST_TCP_FIXTURE_H

/**
 * @file
 * Listeners on the loopback interface, on any of its addresses.
 */

#include <stdint.h>

/** With *port 0 the system chooses the port and *port returns it. */
int tcp_listen(const char *address, uint16_t *port, int backlog);

/** A listener whose queue is full: the kernel drops each attempt to connect, as a dead route does.
 */
typedef struct black_hole {
    int listener;
    int fillers[3];
} black_hole;

black_hole black_hole_make(const char *address, uint16_t *port);
void black_hole_close(const black_hole *h);

#endif
