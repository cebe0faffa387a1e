#ifndef HUB_LIST_H
#define HUB_LIST_H

/**
 * @file
 * A list whose links stand inside its members, so that a member is taken out in one step.
 */

#include <stdbool.h>
#include <stddef.h>

/** Start with { 0 }: in no list. */
typedef struct hub_link {
    struct hub_link *next;
    struct hub_link **at; /* what points to this link; NULL: it is in no list */
    void *member;         /* the struct that the link stands in */
} hub_link;

/** Start with { 0 }. */
typedef struct hub_list {
    hub_link *first;
} hub_list;

/** Put a member in front, unless its link is in a list already.  The list must stay where it is. */
void hub_list_push(hub_list *l, hub_link *link, void *member);
/** Removes the item from its list, if it is in one. */
void hub_list_remove(hub_link *link);

/** Returns NULL if the list is empty. */
static inline void *hub_list_first(const hub_list *l)
{
    return l->first != NULL ? l->first->member : NULL;
}

/** Returns the member after that of this link; NULL: there is none. */
static inline void *hub_list_next(const hub_link *link)
{
    return link->next != NULL ? link->next->member : NULL;
}

#endif
