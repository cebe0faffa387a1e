#ifndef LEDGER_H
#define LEDGER_H

/**
 * @file
 * Records the requests that have not ended, to check that each ends exactly once. A wrong end stops
 * the program.
 */

#include <iothub/client.h>

enum { LEDGER_SIZE = 65536 }; /* more requests than a client can have open */

typedef struct ledger {
    uint32_t last; /* tag of the latest request; never 0 */
    unsigned open;
    struct {
        uint32_t tag; /* 0: free */
        iothub_op_kind kind;
    } slots[LEDGER_SIZE];
} ledger;

/** Returns the tag for the next request, which counts as open only after ledger_open. */
void *ledger_next(const ledger *l);

/** Records that the request with that tag was accepted. */
void ledger_open(ledger *l, iothub_op_kind kind);

/** Records the end that the client's `done` callback reported. */
void ledger_close(ledger *l, const iothub_done *d);

#endif
