#ifndef MQC_OUTBOX_VALID_H
#define MQC_OUTBOX_VALID_H

#include "mqtt_core/engine_struct.h"

/*
 * Do the members agree with each other?  Positions are in order, bytes and counters are those of
 * the entries, the list of ended entries is complete, and neither mqc_drop nor expiry overlooks an
 * entry. Debug builds assert it at each entry of this part; of more than 32 entries only the
 * counters are compared.
 */
bool mqc_outbox_valid(const mqc_outbox *o);

#endif
