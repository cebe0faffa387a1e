#ifndef HUB_LIST_H
#define HUB_LIST_H

/**
 * @file
 * A linked list whose links are members of its elements, so that an element can be removed in one
 * step.
 */

#include <stdbool.h>
#include <stddef.h>

/** A link; { 0 } means that it is in no list. */
typedef struct hub_link {
    struct hub_link *next;
    struct hub_link **at; /* address of the pointer to this link; NULL: it is in no list */
    void *member;         /* the struct that contains the link */
} hub_link;

/** A list; { 0 } is an empty one. */
typedef struct hub_list {
    hub_link *first;
} hub_list;

/**
 * Inserts a member at the front, unless its link is in a list already. The list must not be moved
 * in memory.
 */
void hub_list_push(hub_list *l, hub_link *link, void *member);
/** Removes the member from its list, if it is in one. */
void hub_list_remove(hub_link *link);

/** Returns NULL if the list is empty. */
static inline void *hub_list_first(const hub_list *l)
{
    return l->first != NULL ? l->first->member : NULL;
}

/** Returns the member after the one with this link, or NULL if there is none. */
static inline void *hub_list_next(const hub_link *link)
{
    return link->next != NULL ? link->next->member : NULL;
}

#endif
