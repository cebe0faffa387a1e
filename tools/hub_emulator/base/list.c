#include "base/list.h"

void hub_list_push(hub_list *l, hub_link *link, void *member)
{
    if (link->at != NULL) {
        return;
    }
    link->member = member;
    link->next = l->first;
    link->at = &l->first;
    if (link->next != NULL) {
        link->next->at = &link->next;
    }
    l->first = link;
}

void hub_list_remove(hub_link *link)
{
    if (link->at == NULL) {
        return;
    }
    *link->at = link->next;
    if (link->next != NULL) {
        link->next->at = link->at;
    }
    link->next = NULL;
    link->at = NULL;
}
