#include "internal.h"

/*
 * Ids are given out in sequence, so those in use lie behind the candidate and
 * the next collision is known after one look at all of them: only then is
 * another look needed.  0 is no id, and so always in use.
 */

/* Ids from the candidate up to this one, going round. */
static uint16_t distance(const mqc_engine *e, uint16_t id)
{
    return (uint16_t)(id - e->next_id);
}

/*
 * One id in use: step over it, or note that the free ones end there.  Within a
 * lane they ascend, so that one pass steps over all in a row.
 */
static void meet(mqc_engine *e, uint16_t id, uint16_t *nearest, uint32_t *stepped)
{
    if (id == e->next_id) {
        e->next_id++;
        ++*stepped;
    } else if (distance(e, id) < *nearest) {
        *nearest = distance(e, id);
    }
}

static uint16_t look_at_all(mqc_engine *e, uint32_t *stepped)
{
    uint16_t nearest = UINT16_MAX;

    meet(e, 0, &nearest, stepped);
    for (size_t i = 0; i < MQC_PENDING_MAX; i++) {
        meet(e, e->pending[i].packet_id, &nearest, stepped);
    }
    for (size_t l = 0; l < e->lane_count; l++) {
        for (size_t i = 0; i < e->lanes[l].count; i++) {
            meet(e, mqc_outbox_id(&e->lanes[l], i), &nearest, stepped);
        }
    }
    return nearest;
}

bool mqc_find_free_id(mqc_engine *e)
{
    uint32_t total = 0;

    while (e->free_ids == 0) {
        uint32_t stepped = 0;
        uint16_t nearest = look_at_all(e, &stepped);
        total += stepped;
        if (total > UINT16_MAX) {
            return false;
        }
        if (stepped == 0) {
            e->free_ids = nearest;
        }
    }
    return true;
}
