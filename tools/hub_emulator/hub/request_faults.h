#ifndef HUB_REQUEST_FAULTS_H
#define HUB_REQUEST_FAULTS_H

/** @file Requests over HTTPS that are to fail, on request of a test. */

/** The kinds of requests, which are bits of a set. */
typedef enum hub_request_kind {
    HUB_REQUEST_FILES = 1,         /* begins a file upload */
    HUB_REQUEST_NOTIFICATIONS = 2, /* ends a file upload */
    HUB_REQUEST_SERVICE = 4,       /* every other request, except those under /emulator */
    HUB_REQUEST_TELEMETRY = 8,     /* telemetry of a device */
    HUB_REQUEST_C2D = 16           /* a device receives or ends a cloud-to-device message */
} hub_request_kind;

/** { 0 } is no fault. */
typedef struct hub_request_faults {
    unsigned skip;  /* number of requests of the set that succeed first */
    unsigned count; /* number of requests that fail then */
    unsigned on;    /* a set of hub_request_kind */
    int status;     /* of the answer */
} hub_request_faults;

#endif
