#ifndef CONFORMANCE_FIXTURE_H
#define CONFORMANCE_FIXTURE_H

/* What the conformance suite needs of the test: a peer, stores, and a memory for the lines that it
 * prints. The port is that of POSIX; tests replace some of its functions. */

#include "flash_fixture.h"
#include "platform/conformance.h"

enum { CONFORMANCE_TEXT = 16384 };

struct conformance_fixture {
    char text[CONFORMANCE_TEXT]; /* the printed lines */
    size_t len;
    int peer_pid;
    uint16_t refused_port;
    char directory[64]; /* of the named values */
    struct flash_fixture flash;
    bool flash_made;
    plat_platform platform; /* a copy of plat_posix */
    plat_conformance_peer peer;
    plat_conformance_store store;
    plat_conformance_kv kv;
    plat_conformance conformance;
};

int conformance_setup(void **state); /* for the whole group: starts the peer */
int conformance_teardown(void **state);
/* Makes everything as it was before the first run. */
void conformance_begin(struct conformance_fixture *f);
/* For a process that works beside others: named values of its own. */
void conformance_own_directory(struct conformance_fixture *f);
void conformance_remove_directory(struct conformance_fixture *f);

#endif
