#include "pubrel_chain.h"

#include <assert.h>

void mqc_pubrel_chain_add(mqc_pubrel_chain *l, mqc_entry *e)
{
    assert(mqc_pubrel_chain_valid(l));
    mqc_entry_chain(e, NULL);
    if (l->last != NULL) {
        mqc_entry_chain(l->last, e);
    } else {
        l->first = e;
    }
    l->last = e;
    if (l->due == NULL) {
        l->due = e;
    }
}

mqc_entry *mqc_pubrel_chain_take(mqc_pubrel_chain *l, uint16_t packet_id)
{
    assert(mqc_pubrel_chain_valid(l));
    mqc_entry *before = NULL;
    mqc_entry *e = l->first;

    while (e != NULL && e->packet_id != packet_id) {
        before = e;
        e = e->u.behind;
    }
    if (e == NULL) {
        return NULL;
    }
    if (before != NULL) {
        mqc_entry_chain(before, e->u.behind);
    } else {
        l->first = e->u.behind;
    }
    if (l->last == e) {
        l->last = before;
    }
    if (l->due == e) {
        l->due = e->u.behind;
    }
    return e;
}

void mqc_pubrel_chain_clear(mqc_pubrel_chain *l)
{
    memset(l, 0, sizeof *l);
}

void mqc_pubrel_chain_restart(mqc_pubrel_chain *l, uint8_t ending)
{
    assert(mqc_pubrel_chain_valid(l));
    mqc_entry *e = l->first;

    mqc_pubrel_chain_clear(l);
    while (e != NULL) {
        mqc_entry *behind = e->u.behind;
        if (e->lane != ending) {
            mqc_pubrel_chain_add(l, e);
        }
        e = behind;
    }
}

#ifndef NDEBUG

bool mqc_pubrel_chain_valid(const mqc_pubrel_chain *l)
{
    enum { WALK_MAX = 64 };
    const mqc_entry *e = l->first;
    bool due_found = l->due == NULL;
    size_t n = 0;

    if ((l->first == NULL) != (l->last == NULL)) {
        return false;
    }
    for (; e != NULL && n < WALK_MAX; e = e->u.behind, n++) {
        if (e->state != MQC_ENTRY_RECEIVED || (e->u.behind == NULL) != (e == l->last)) {
            return false;
        }
        due_found = due_found || e == l->due;
    }
    return due_found || e != NULL;
}

#endif
