#ifndef MQC_IDS_H
#define MQC_IDS_H

#include "mqtt_core/engine_struct.h"

/* Assigns packet ids. Only this header and ids.c write mqc_ids. */

void mqc_ids_init(mqc_engine *e);

/* Advances the candidate to a free id. Returns false if all ids are in use. */
bool mqc_find_free_id(mqc_engine *e);

/* Returns an id that neither a lane nor a pending request uses, or 0 if all are in use. */
static inline uint16_t mqc_new_packet_id(mqc_engine *e)
{
    if (e->ids.free_count == 0 && !mqc_find_free_id(e)) {
        return 0;
    }
    e->ids.free_count--;
    return e->ids.next++;
}

#endif
