#ifndef IOTHUB_PROVISIONING_EXCHANGE_H
#define IOTHUB_PROVISIONING_EXCHANGE_H

/**
 * @file
 * One conversation with the Device Provisioning Service, from the look-up of its host to its last
 * answer. It has its own engine, channel and context. Others decide whether and when to try again:
 * home.h in a client, provisioning.c without a client.
 */

#include "connection/channel.h"
#include "hub/issued_chain.h"
#include "mqtt_core/engine_struct.h"
#include "provisioning/answer.h"
#include "provisioning/request.h"

typedef enum exchange_state {
    EXCHANGE_IDLE = 0,
    EXCHANGE_OPENING, /* the stream */
    EXCHANGE_LOGGING_IN,
    EXCHANGE_SUBSCRIBING,
    EXCHANGE_ASKING, /* a request was queued; the exchange waits for its answer */
    EXCHANGE_PAUSING /* waits until it sends the next request */
} exchange_state;

typedef enum exchange_answer {
    EXCHANGE_RUNS,
    EXCHANGE_ASSIGNED, /* answer has the assignment; the exchange is idle again */
    EXCHANGE_FAILED    /* error has the reason; the exchange is idle again */
} exchange_answer;

typedef struct iothub_exchange {
    iothub_context context; /* context of the service: its host, and the options with its port */
    mqc_engine engine;
    iothub_channel channel;
    dps_request request;
    dps_answer answer;  /* the last answer that was read */
    issued_chain chain; /* certificates of that answer; see issued_chain_init */
    char operation_id[DPS_OPERATION_ID_MAX + 1]; /* if it is "", the next request registers */
    iothub_error error;                          /* why the exchange failed */
    exchange_state state;
    uint32_t rid;        /* number of the last request */
    uint32_t waits;      /* number of consecutive answers without a decision */
    uint32_t wait_ms;    /* after a failure: how long the service asks to wait; 0: it did not ask */
    bool refused;        /* after a failure: only a person can correct it */
    mqc_time due;        /* time at which ASKING or PAUSING ends */
    mqc_time give_up_at; /* from this time on, an answer without a decision ends the exchange */
} iothub_exchange;

/**
 * Makes an exchange in the room. If it returns IOTHUB_OK and *out is NULL, the room is too small
 * and has counted the needed bytes.
 */
iothub_result exchange_make(iothub_exchange **out, const iothub_provisioning_options *p,
                            const iothub_options *o, dps_room *room, iothub_error *error);
/** Closes its stream and erases its key. */
void exchange_deinit(iothub_exchange *x);

/** From now on it logs for this client, and uses its lock. */
void exchange_join(iothub_exchange *x, const iothub_context *client);

/** Starts again with the first request. The next exchange_turn connects. */
void exchange_begin(iothub_exchange *x);
/** Does what is due now. */
exchange_answer exchange_turn(iothub_exchange *x, mqc_time now);
/** Ends the exchange before it has an answer. */
void exchange_cancel(iothub_exchange *x);

/** Reports what to wait for, also for an idle exchange. Returns the next deadline. */
mqc_time exchange_poll(iothub_exchange *x, plat_poll *p);

/** Returns the assignment after EXCHANGE_ASSIGNED. */
iothub_assignment exchange_assignment(const iothub_exchange *x);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool exchange_valid(const iothub_exchange *x);

#endif
