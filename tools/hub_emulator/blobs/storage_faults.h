#ifndef HUB_STORAGE_FAULTS_H
#define HUB_STORAGE_FAULTS_H

/** @file Faults of requests to the storage, on request of a test. */

#include <stdbool.h>
#include <stdint.h>

/** The requests of the storage, which are also bits of a set. */
typedef enum hub_storage_operation {
    HUB_STORAGE_PUT_BLOB = 1,
    HUB_STORAGE_PUT_BLOCK = 2,
    HUB_STORAGE_PUT_LIST = 4,
    HUB_STORAGE_READ = 8 /* Get Blob, its properties, and Get Block List */
} hub_storage_operation;

#define HUB_STORAGE_ALL 15u

typedef enum hub_storage_fault_kind {
    HUB_STORAGE_FAULT_NONE = 0,
    HUB_STORAGE_FAULT_STATUS, /* answer with a status */
    HUB_STORAGE_FAULT_CLOSE,  /* close the connection */
    HUB_STORAGE_FAULT_STALL,  /* say nothing more, until the client closes the connection */
    HUB_STORAGE_FAULT_LOSE /* do what was requested, and close the connection without an answer */
} hub_storage_fault_kind;

/** { 0 } is no fault. */
typedef struct hub_storage_faults {
    unsigned skip;  /* number of requests of the set that succeed first */
    unsigned count; /* number of requests that fail then */
    unsigned on;    /* a set of operations */
    hub_storage_fault_kind kind;
    unsigned status;
    uint64_t after; /* CLOSE, STALL: bytes of the body that are read first */
} hub_storage_faults;

/** Returns the kind of fault for a request, and counts it. */
hub_storage_fault_kind hub_storage_faults_next(hub_storage_faults *f, hub_storage_operation o);

#endif
