#include "ids.h"

#include "outbox.h"
#include "outbox_find.h"

/*
 * Ids are assigned in sequence, modulo 65536, and 0 is never assigned.  One search over the ids in
 * use finds the first one after the candidate.  All ids before it are free, so no other search is
 * needed until the candidate reaches it.
 *
 * The ids of a lane ascend from the oldest entry on, so the search looks at its first id only. That
 * is no longer so once the candidate has stepped over an id in use, which happens with thousands of
 * messages, or with one that never ends: then the search looks at all ids of that lane.
 */

void mqc_ids_init(mqc_engine *e)
{
    e->ids.next = 1;
    e->ids.free_count = UINT16_MAX;
}

/* Returns the number of ids from the candidate up to this one, in the circle of ids. */
static uint16_t distance(const mqc_engine *e, uint16_t id)
{
    return (uint16_t)(id - e->ids.next);
}

/* Handles one id in use: skips it, or notes that the free ids end before it. */
static bool meet(mqc_engine *e, uint16_t id, uint16_t *nearest, uint32_t *stepped)
{
    if (id == e->ids.next) {
        e->ids.next++;
        (*stepped)++;
        return true;
    }
    if (distance(e, id) < *nearest) {
        *nearest = distance(e, id);
    }
    return false;
}

/* Checks the ids of one lane. Returns true if ids were skipped; for consecutive ids one pass is
 * enough. */
static bool look_at_lane(mqc_engine *e, const mqc_outbox *o, bool all, uint16_t *nearest,
                         uint32_t *stepped)
{
    const uint32_t before = *stepped;
    bool goes_on = true;

    for (size_t i = 0; i < o->count && goes_on; i++) {
        uint16_t id = mqc_outbox_id(o, i);
        if (id != 0) {
            goes_on = meet(e, id, nearest, stepped) || all;
        }
    }
    return *stepped > before;
}

/* Checks the ids of all lanes and requests. passed notes the lanes in which ids were skipped
 * since the search began. */
static uint16_t look_at_all(mqc_engine *e, bool *passed, uint32_t *stepped)
{
    uint16_t nearest = UINT16_MAX;

    (void)meet(e, 0, &nearest, stepped);
    for (size_t i = 0; i < MQC_PENDING_MAX; i++) {
        (void)meet(e, e->requests.pending[i].packet_id, &nearest, stepped);
    }
    for (size_t l = 0; l < e->lane_count; l++) {
        const mqc_outbox *o = &e->lanes[l];
        bool all = passed[l] || (o->id_passed && o->live > 0);
        passed[l] = look_at_lane(e, o, all, &nearest, stepped) || passed[l];
    }
    return nearest;
}

bool mqc_find_free_id(mqc_engine *e)
{
    bool passed[MQC_LANES_MAX] = { false };
    uint32_t total = 0;

    while (e->ids.free_count == 0) {
        uint32_t stepped = 0;
        uint16_t nearest = look_at_all(e, passed, &stepped);
        total += stepped;
        if (total > UINT16_MAX) { /* the search has gone through all ids and is back at the start */
            return false;
        }
        if (stepped == 0) {
            e->ids.free_count = nearest;
        }
    }
    for (size_t l = 0; l < e->lane_count; l++) {
        mqc_outbox *o = &e->lanes[l];
        mqc_outbox_ids_passed(o, passed[l] || (o->id_passed && o->live > 0));
    }
    return true;
}
