#include "releases.h"

void mqc_releases_add(mqc_releases *l, mqc_entry *e)
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

mqc_entry *mqc_releases_take(mqc_releases *l, uint16_t packet_id)
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

void mqc_releases_restart(mqc_releases *l, uint8_t ending)
{
    mqc_entry *e = l->first;

    memset(l, 0, sizeof *l);
    while (e != NULL) {
        mqc_entry *behind = e->u.behind;
        if (e->lane != ending) {
            mqc_releases_add(l, e);
        }
        e = behind;
    }
}
