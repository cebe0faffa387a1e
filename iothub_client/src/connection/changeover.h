#ifndef IOTHUB_CHANGEOVER_H
#define IOTHUB_CHANGEOVER_H

/**
 * @file
 * The planned change from the connection in use to a new one. This part owns both channels. It
 * knows when the login in use must be renewed, opens the other channel (the spare) when a renewal
 * is due, and answers when the connection in use should be closed. It does not change the state of
 * the connection: session.c does that.
 */

#include "connection/channel.h"
#include "connection/credential.h"
#include "connection/renewal.h"

typedef enum changeover_answer {
    CHANGEOVER_WAITS,
    CHANGEOVER_PREPARED, /* the credential for the new connection is known */
    CHANGEOVER_OPENED,   /* the spare is open now */
    CHANGEOVER_LEAVES    /* close the connection in use, and log in on the new one */
} changeover_answer;

typedef struct iothub_changeover {
    iothub_renewal renewal;
    mqc_time login_at; /* time at which the token in use was made */
    int64_t clock_s; /* value of wall_clock_offset_s at the attempt, for which the token was made */
    uint32_t failed_attempts; /* number of failures of the spare */
    uint8_t used;             /* index of the channel in use */
    iothub_channel channels[2];
} iothub_changeover;

void changeover_init(iothub_changeover *c, iothub_context *context);
void changeover_deinit(iothub_changeover *c);

/** Returns the channel in use. */
static inline iothub_channel *changeover_channel(iothub_changeover *c)
{
    return &c->channels[c->used];
}

/** Returns the channel that is not in use. */
static inline iothub_channel *changeover_spare(iothub_changeover *c)
{
    return &c->channels[1 - c->used];
}

/** Returns the channel in use to a caller that only reads it. */
static inline const iothub_channel *changeover_read_channel(const iothub_changeover *c)
{
    return &c->channels[c->used];
}

/** Returns the channel that is not in use to a caller that only reads it. */
static inline const iothub_channel *changeover_read_spare(const iothub_changeover *c)
{
    return &c->channels[1 - c->used];
}

/* --- when the login in use must be renewed --------------------------------------------------- */

/** Call it when an attempt begins: records the wall clock for which the attempt makes its token. */
void changeover_note_clock(iothub_changeover *c);
/** Returns true if the wall clock was set since then. */
bool changeover_clock_moved(const iothub_changeover *c);
/** Call it when the client logs in. */
void changeover_on_login(iothub_changeover *c, mqc_time now);
/**
 * Sets the deadline of the channel in use to the time at which the login must be renewed. Returns
 * false if the login cannot be renewed.
 */
bool changeover_plan(iothub_changeover *c, const credential_part *k);
/** Call it when the wall clock was set while the client is connected: renews the token early. */
void changeover_on_clock_set(iothub_changeover *c, mqc_time now);
/** Begins a renewal. Open work postpones it for as long as the token in use allows. */
void changeover_begin(iothub_changeover *c, const credential_part *k, mqc_time now);
/** Begins a renewal that open work postpones for a few seconds only. */
void changeover_hurry(iothub_changeover *c, mqc_time now);

/* --- the steps of a renewal; call these functions while one is due ---------------------------- */

/**
 * Closes a spare that took too long or has an outdated credential, and gets the credential of the
 * new connection. It may call the token callback, after which the renewal may not be due any more.
 * Returns CHANGEOVER_PREPARED or CHANGEOVER_WAITS.
 */
changeover_answer changeover_prepare(iothub_changeover *c, credential_part *k, mqc_time now);
/**
 * Continues a renewal that is prepared. busy means that there is open work that a new connection
 * could not finish. Returns CHANGEOVER_LEAVES or CHANGEOVER_WAITS.
 */
changeover_answer changeover_go_on(iothub_changeover *c, credential_part *k, bool busy,
                                   mqc_time now);
/**
 * Continues to open the spare, or watches it when it is open. Returns CHANGEOVER_OPENED or
 * CHANGEOVER_WAITS.
 */
changeover_answer changeover_progress(iothub_changeover *c, credential_part *k, mqc_time now);
/** Returns when to continue a renewal that is due. */
mqc_time changeover_deadline(const iothub_changeover *c, const credential_part *k);

/* --- the end of a renewal --------------------------------------------------------------------- */

/**
 * Returns the state with which the connection could continue on the spare; IOTHUB_STOPPED if it
 * cannot, because the spare is closed or was opened with a credential that was replaced since.
 */
iothub_state changeover_spare_state(const iothub_changeover *c, const credential_part *k);
/** Makes the spare the channel in use. The other channel must be closed. */
void changeover_adopt(iothub_changeover *c, mqc_time now);
/** Closes the spare and ends the renewal. */
void changeover_cancel(iothub_changeover *c);

/** Checks the invariants of this part; Debug builds assert it at each entry. */
bool changeover_valid(const iothub_changeover *c);

#endif
