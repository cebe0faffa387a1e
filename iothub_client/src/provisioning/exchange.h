#ifndef IOTHUB_PROVISIONING_EXCHANGE_H
#define IOTHUB_PROVISIONING_EXCHANGE_H

/**
 * @file
 * One conversation with the Device Provisioning Service, from the look-up of its host to its last
 * answer. It has an engine, a channel and a context of its own. Whether and when to try again is
 * decided by others: home.h in a client, provisioning.c without one.
 */

#include "connection/channel.h"
#include "mqtt_core/engine_struct.h"
#include "provisioning/answer.h"
#include "provisioning/request.h"

typedef enum exchange_state {
    EXCHANGE_IDLE = 0,
    EXCHANGE_OPENING, /* the stream */
    EXCHANGE_LOGGING_IN,
    EXCHANGE_SUBSCRIBING,
    EXCHANGE_ASKING, /* a request was queued; its answer is awaited */
    EXCHANGE_PAUSING /* until the next request */
} exchange_state;

typedef enum exchange_answer {
    EXCHANGE_RUNS,
    EXCHANGE_ASSIGNED, /* see answer; the exchange is idle again */
    EXCHANGE_FAILED    /* see error; the exchange is idle again */
} exchange_answer;

typedef struct iothub_exchange {
    iothub_context context; /* of the service: its host, and the options with its port */
    mqc_engine engine;
    iothub_channel channel;
    dps_request request;
    dps_answer answer;                           /* the last one that was read */
    char operation_id[DPS_OPERATION_ID_MAX + 1]; /* "": the next request registers */
    iothub_error error;                          /* why the exchange failed */
    exchange_state state;
    uint32_t rid;        /* of the last request */
    uint32_t waits;      /* answers in a row that decided nothing */
    uint32_t wait_ms;    /* after a failure: how long the service wants to be left alone; 0: any */
    bool refused;        /* after a failure: only a person can change it */
    mqc_time due;        /* end of ASKING and PAUSING */
    mqc_time give_up_at; /* answers that decide nothing end the exchange from then on */
} iothub_exchange;

/**
 * Makes an exchange in the room. IOTHUB_OK with *out NULL: the room is too small; it knows how much
 * is needed.
 */
iothub_result exchange_make(iothub_exchange **out, const iothub_provisioning_options *p,
                            const iothub_options *o, dps_room *room, iothub_error *error);
/** Closes its stream and erases its key. */
void exchange_deinit(iothub_exchange *x);

/** From now on logs as this client, and shares its lock. */
void exchange_join(iothub_exchange *x, const iothub_context *client);

/** Begins at the beginning. The first exchange_turn connects. */
void exchange_begin(iothub_exchange *x);
/** Does what is due now. */
exchange_answer exchange_turn(iothub_exchange *x, mqc_time now);
/** Ends the exchange before its answer. */
void exchange_cancel(iothub_exchange *x);

/** Reports what to wait for, also for an idle exchange. Returns the next deadline. */
mqc_time exchange_poll(iothub_exchange *x, plat_poll *p);

/** The assignment of an exchange that has ended with EXCHANGE_ASSIGNED. */
iothub_assignment exchange_assignment(const iothub_exchange *x);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool exchange_valid(const iothub_exchange *x);

#endif
