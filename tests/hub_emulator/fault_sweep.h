#ifndef FAULT_SWEEP_H
#define FAULT_SWEEP_H

/* Makes each request of a list with a failure or a kill in each of its system calls. A change
 * that was answered with success must be in effect afterwards and after a restart; a change that
 * was answered with a failure must not. After a kill, either is allowed. The test is linked with
 * faulty_disk.c. */

#include "hub_fixture.h"

typedef struct fault_request {
    const char *name;
    bool (*make)(hub_fixture *f); /* true: it was answered with success */
} fault_request;

typedef struct fault_world {
    const fault_request *requests;
    size_t count;
    /* Makes a hub with everything that the requests change. */
    hub_fixture *(*make)(void);
    void (*end)(hub_fixture *f);
    void (*restart)(hub_fixture *f);
    /* Returns everything that must outlive a restart, as text on the heap. */
    char *(*describe)(hub_fixture *f);
    /* Makes further checks after a restart; NULL: there are none. */
    void (*check)(hub_fixture *f);
} fault_world;

void fault_sweep_failures(const fault_world *world);
void fault_sweep_kills(const fault_world *world);

#endif
