#ifndef LEDGER_H
#define LEDGER_H

/**
 * @file
 * Requests that are under way, so that each ends exactly once.  A wrong end stops the program.
 */

#include <iothub/client.h>

enum { LEDGER_SIZE = 65536 }; /* more than a client ever has open */

typedef struct ledger {
    uint32_t last; /* tag of the latest request; never 0 */
    unsigned open;
    struct {
        uint32_t tag; /* 0: free */
        iothub_op_kind kind;
    } slots[LEDGER_SIZE];
} ledger;

/** The tag for the next request.  Nothing is opened before ledger_open. */
void *ledger_next(const ledger *l);

/** The request with that tag was accepted. */
void ledger_open(ledger *l, iothub_op_kind kind);

/** Its `done` came. */
void ledger_close(ledger *l, const iothub_done *d);

#endif
