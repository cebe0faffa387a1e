#include "pubrel_chain.h"

void mqc_pubrel_chain_add(mqc_pubrel_chain *l, mqc_entry *e)
{
    e->u.behind = NULL;
    if (l->last != NULL) {
        l->last->u.behind = e;
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
        before->u.behind = e->u.behind;
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
