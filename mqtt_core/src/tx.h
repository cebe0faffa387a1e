#ifndef MQC_TX_H
#define MQC_TX_H

#include "mqtt_core/engine_struct.h"

/* Sending: chooses where the next bytes come from.  Only tx.c writes mqc_tx. */

/*
 * Choose the source of the next bytes: e->tx.lane, or the control area when that is NULL.
 * *cut: only the packet in progress may be sent.  Returns false when nothing is ready to be sent.
 */
bool mqc_tx_choose(mqc_engine *e, bool *cut);

/* Returns the next bytes, which stay offered until mqc_tx_consume. */
const uint8_t *mqc_tx_run(mqc_engine *e, size_t *len);

#endif
