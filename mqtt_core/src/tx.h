#ifndef MQC_TX_H
#define MQC_TX_H

#include "mqtt_core/engine_struct.h"

/* Sends: chooses where the next bytes come from. Only tx.c writes mqc_tx. */

/* Chooses the source of the next bytes: the lane e->tx.lane, or the control area if that is
 * NULL. *cut is set if only the packet in progress may be sent. Returns false if nothing is
 * ready to be sent. */
bool mqc_tx_choose(mqc_engine *e, bool *cut);

/* Returns the next bytes, which stay offered until mqc_tx_consume. */
const uint8_t *mqc_tx_run(mqc_engine *e, size_t *len);

#endif
