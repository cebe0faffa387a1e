#ifndef MQC_IDS_H
#define MQC_IDS_H

#include "mqtt_core/engine_struct.h"

/* Packet ids.  Only this header and ids.c write mqc_ids. */

void mqc_ids_init(mqc_engine *e);

/* Advance next_id to a free id.  Returns false when all ids are in use. */
bool mqc_find_free_id(mqc_engine *e);

/* Returns an id that neither a lane nor a pending request uses; 0 when all are in use. */
static inline uint16_t mqc_new_packet_id(mqc_engine *e)
{
    if (e->ids.free_count == 0 && !mqc_find_free_id(e)) {
        return 0;
    }
    e->ids.free_count--;
    return e->ids.next++;
}

#endif
