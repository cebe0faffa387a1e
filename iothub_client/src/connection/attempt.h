#ifndef IOTHUB_ATTEMPT_H
#define IOTHUB_ATTEMPT_H

/**
 * @file
 * One attempt to connect: it opens a channel with the credential that is chosen for it, and after a
 * failure the next credential and the wait are chosen.
 */

#include "connection/back_off.h"
#include "connection/channel.h"
#include "connection/credential.h"
#include "connection/renewal.h"

/**
 * Chooses the credential of an attempt that begins now, and begins to open the channel. If the
 * application must provide a token first, the channel stays closed, and the result is IOTHUB_OK:
 * call this function again in each turn.
 */
iothub_result attempt_open(iothub_channel *ch, credential_part *k, iothub_error *why);

/**
 * Handles the failure of an attempt: chooses the next credential, and asks the application how long
 * to wait, in ms; IOTHUB_RETRY_STOP means no more attempts. *why is the reason; its text is
 * completed if a replacement of the credentials was given up.
 */
uint32_t attempt_failed(iothub_back_off *b, credential_part *k, iothub_error *why, mqc_time now);

/** Returns whether a renewal can open a channel now; the application may have to provide a token.
 */
credential_supply attempt_prepare_renewal(credential_part *k, mqc_time now);

/**
 * Handles a failure of a renewal, while the old connection stays in use. Returns true if the
 * renewal has ended, because the replacement of the credentials was given up.
 */
bool attempt_renewal_failed(iothub_renewal *r, credential_part *k, iothub_result reason,
                            mqc_time now);

#endif
