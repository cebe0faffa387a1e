#include "outbox_valid.h"

#include "outbox_entry.h"

/* The invariants of a lane; see mqc_outbox_valid. */

#ifndef NDEBUG

/* Lanes with more entries are not counted again, so that tests with long lanes take linear time. */
enum { RECOUNT_MAX = 32 };

/* The right values of a lane's counters, computed from its entries. */
typedef struct recount {
    size_t ring_used;
    size_t sent_bytes;    /* bytes of the entries before `send` */
    size_t granted_bytes; /* bytes of the entries from `send` to `grant` */
    uint32_t live;
    uint32_t unreported;
    uint32_t sent;
    uint32_t received;
    uint32_t window_used;
} recount;

static void count_entry(recount *c, const mqc_outbox *o, size_t position)
{
    const mqc_entry *e = mqc_entry_at(o, position);
    bool counts = position < o->grant || e->state == MQC_ENTRY_RECEIVED;

    c->ring_used += e->len;
    c->sent_bytes += position < o->send ? e->len : 0;
    c->granted_bytes += position >= o->send && position < o->grant ? e->len : 0;
    c->live += e->state != MQC_ENTRY_DEAD ? 1u : 0;
    c->unreported += e->state == MQC_ENTRY_ENDED ? 1u : 0;
    c->sent += e->state == MQC_ENTRY_SENT ? 1u : 0;
    c->received += e->state == MQC_ENTRY_RECEIVED ? 1u : 0;
    c->window_used += counts && mqc_in_window(e) && !mqc_has_ended(e) ? 1u : 0;
}

/* Between connections nothing counts as in flight, although the server may have received a
 * PUBLISH. */
static bool is_between_connections(const mqc_outbox *o, const recount *c)
{
    return o->window.in_flight == 0 && o->window.used == 0 && c->sent == 0 &&
           c->window_used == c->received;
}

static bool counts_agree(const mqc_outbox *o, const recount *c)
{
    bool in_flight =
        o->window.in_flight == c->sent + c->received && o->window.used == c->window_used;

    return o->ring_used == c->ring_used && o->granted_bytes + o->send_done == c->granted_bytes &&
           o->send_at == mqc_ring_forward(o, o->ring_head, c->sent_bytes + o->send_done) &&
           o->live == c->live && o->unreported == c->unreported &&
           (in_flight || is_between_connections(o, c));
}

/* Returns whether the list of ended entries contains all of them, in the order of the lane. */
static bool ended_list_agrees(const mqc_outbox *o)
{
    uint32_t listed = 0;
    bool recent_listed = o->recent == NULL;

    for (const mqc_entry *e = o->ended; e != NULL; e = e->u.behind) {
        if (e->state != MQC_ENTRY_ENDED || mqc_position_of(o, e) >= o->count ||
            (e->u.behind != NULL && mqc_position_of(o, e->u.behind) <= mqc_position_of(o, e))) {
            return false;
        }
        recent_listed = recent_listed || (e == o->recent && o->recent_at == mqc_position_of(o, e));
        listed++;
    }
    return recent_listed && listed == o->unreported;
}

/* Returns whether both expiry and mqc_drop will find the entry. */
static bool entry_is_in_sight(const mqc_outbox *o, size_t position)
{
    const mqc_entry *e = mqc_entry_at(o, position);

    if (mqc_can_expire(e) && e->u.expires < o->expiry.next && !o->overdue) {
        return false;
    }
    if (o->unreported == 0) { /* mqc_drop begins its search at the head */
        return true;
    }
    if (position < o->freed && (e->len > 0 || !mqc_has_ended(e))) {
        return false;
    }
    return position < mqc_touched(o) || position >= o->undroppable || !mqc_can_drop(e);
}

static bool entries_agree(const mqc_outbox *o)
{
    recount c = { 0 };

    for (size_t i = 0; i < o->count; i++) {
        count_entry(&c, o, i);
        if (!entry_is_in_sight(o, i)) {
            return false;
        }
    }
    return counts_agree(o, &c) && ended_list_agrees(o);
}

static bool positions_are_in_order(const mqc_outbox *o)
{
    return o->count <= o->entries_len && o->head < o->entries_len && o->send <= o->grant &&
           o->grant <= o->count && o->ring_used <= o->ring_len && o->ring_head < o->ring_len &&
           o->send_at < o->ring_len && o->offered <= o->granted_bytes &&
           o->granted_bytes + o->send_done <= o->ring_used;
}

bool mqc_outbox_valid(const mqc_outbox *o)
{
    if (!positions_are_in_order(o)) {
        return false;
    }
    /* Bytes may be sent only if their packet was granted. */
    if ((o->grant == o->send) != (o->granted_bytes == 0) ||
        (o->send_done > 0 && o->grant == o->send)) {
        return false;
    }
    if (o->unreported > o->live || o->live > o->count || !mqc_window_valid(&o->window)) {
        return false;
    }
    /* The list of ended entries, and the positions that mqc_drop has noted, are empty after the
     * last report. */
    if ((o->unreported == 0) != (o->ended == NULL) || (o->unreported == 0 && o->recent != NULL) ||
        (o->unreported > 0 && (o->freed > o->count || o->undroppable > o->count))) {
        return false;
    }
    return o->count > RECOUNT_MAX || entries_agree(o);
}

#endif
