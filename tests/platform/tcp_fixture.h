#ifndef TEST_TCP_FIXTURE_H
#define TEST_TCP_FIXTURE_H

/**
 * @file
 * Listeners on the loopback, in any of its addresses.
 */

#include <stdint.h>

/** *port 0: any, which *port is then. */
int tcp_listen(const char *address, uint16_t *port, int backlog);

/** A listener whose queue is full: the kernel drops what comes, as a dead route does. */
typedef struct black_hole {
    int listener;
    int fillers[3];
} black_hole;

black_hole black_hole_make(const char *address, uint16_t *port);
void black_hole_close(const black_hole *h);

#endif
