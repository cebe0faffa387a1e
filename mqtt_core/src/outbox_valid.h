#ifndef MQC_OUTBOX_VALID_H
#define MQC_OUTBOX_VALID_H

#include "mqtt_core/engine_struct.h"

/* Returns whether the members agree with each other: positions are in order, bytes and counters
 * are those of the entries, the list of ended entries is complete, and neither mqc_drop nor
 * expiry overlooks an entry. Debug builds assert it in each function of this part; if there are
 * more than 32 entries, only the counters are compared. */
bool mqc_outbox_valid(const mqc_outbox *o);

#endif
