#ifndef MQC_REPEATS_H
#define MQC_REPEATS_H

#include "mqtt_core/engine_struct.h"

/*
 * Some servers send a QoS 2 message again, with DUP, although they had its PUBREC
 * and sent PUBREL: Mosquitto 2.0.11 does when connections break one soon after the other.
 * By then the id is free (MQTT 3.1.1 section 4.3.3), so that it may as well be a new
 * message whose first transmission was lost.  What tells them apart is how the server
 * chooses its ids: one that counts on, round 65535, does not come back to an id so soon.
 *
 * It is believed to count once it has passed over an id of which it knew that it was
 * free.  That it knew shows either on one connection,
 *
 *     PUBREL a   our PUBCOMP a leaves before our next PUBREC
 *     PUBLISH b  whose PUBREC follows that PUBCOMP
 *     PUBREL b   so the server has PUBCOMP a, and a is free
 *     PUBLISH c  is new, and has an id ahead of all before it
 *
 * or on two, since a server repeats what is unfinished before it sends what is new:
 *
 *     PUBREL a   then the connection breaks; in the next one a is not repeated
 *     PUBLISH c  is new, and has an id ahead of all before it
 *
 * Before it has, a repeat is believed only if the messages before it, and there were some,
 * all differed: then the same content under the same id is no coincidence.
 *
 * Any new message that is not ahead of all before it ends the belief until the session does.
 */

/* A QoS 2 message that nothing else knows.  True: it is a repeat, and must not be handed out. */
bool mqc_repeats_meet(mqc_repeats *r, const mqc_message *m);

/* PUBREL. */
void mqc_repeats_release(mqc_repeats *r, uint16_t packet_id);

/* The connection is gone. */
void mqc_repeats_rewind(mqc_repeats *r);

/* The session is gone. */
void mqc_repeats_clear(mqc_repeats *r);

#endif
