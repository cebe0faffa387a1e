#ifndef HUB_OPENING_H
#define HUB_OPENING_H

/**
 * @file
 * The beginning of a connection, up to the first bytes for a server: the TLS handshake; on the
 * HTTPS port, the first request; and the CONNECT of MQTT, which may arrive by WebSocket.
 */

#include "front/device_line.h"
#include "front/front_faults.h"

/** What a port is for. */
typedef enum hub_front_service {
    HUB_FRONT_MQTTS = 0,
    HUB_FRONT_HTTPS, /* and WebSocket */
    HUB_FRONT_SERVICES
} hub_front_service;

typedef struct hub_opening_setup {
    hub_front_service service;
    uint64_t number;          /* number of the connection */
    const char *peer;         /* address and port of the client */
    const char *secret;       /* the secret in the envelopes */
    hub_front_faults *faults; /* faults of the next connections */
    uint8_t *buffer;          /* scratch memory that is used only within a call */
    size_t cap;
} hub_opening_setup;

typedef enum hub_opening_stage {
    HUB_OPENING_GREETING = 0, /* waits for the first byte of TLS */
    HUB_OPENING_HANDSHAKE,
    HUB_OPENING_REQUEST, /* reads the first HTTP request */
    HUB_OPENING_STALLED, /* answers the upgrade later, because of a fault */
    HUB_OPENING_LOGIN,   /* reads the CONNECT */
    HUB_OPENING_OVER
} hub_opening_stage;

typedef enum hub_opening_result {
    HUB_OPENING_AGAIN = 0, /* more bytes are needed */
    HUB_OPENING_LATER,     /* nothing must be read for delay_ms; then call hub_opening_resume */
    HUB_OPENING_MQTT,      /* `first` and `more` are for the broker */
    HUB_OPENING_HTTP,      /* `first` is for the HTTP server */
    HUB_OPENING_REFUSED,   /* the client was answered; close the line in the regular way */
    HUB_OPENING_CUT,       /* close the line, but write nothing more */
    HUB_OPENING_GONE       /* close the line immediately */
} hub_opening_result;

typedef struct hub_opening {
    hub_opening_setup setup;
    hub_device_line *line;
    hub_opening_stage stage;
    hub_text start;     /* the bytes received so far, up to the end of request or CONNECT */
    hub_text first;     /* the first bytes for the server */
    size_t more_at;     /* offset in start of the bytes that follow them */
    uint32_t delay_ms;  /* LATER */
    const char *what;   /* REFUSED, CUT, GONE: what happened, for the log; NULL: nothing */
    const char *detail; /* further text; may be NULL */
} hub_opening;

void hub_opening_init(hub_opening *o, const hub_opening_setup *setup, hub_device_line *line);
void hub_opening_free(hub_opening *o);

/** Call it in each turn of the line until the result is another than AGAIN. */
hub_opening_result hub_opening_turn(hub_opening *o);
/** Call it in a turn of the line when the delay after LATER has passed. */
hub_opening_result hub_opening_resume(hub_opening *o);

#endif
