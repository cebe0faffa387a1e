#ifndef FAULTY_VFS_H
#define FAULTY_VFS_H

#include <stdbool.h>

/* A file system and an allocator for SQLite in which faults can be planned: the nth call fails,
 * or the nth and all later calls. A loss of power can be simulated, too: of the writes after the
 * last sync, none or some survive. */

/* FAULT_GROWTH is like FAULT_FULL, but only writes that need a new block fail. */
enum fault_kind { FAULT_FULL, FAULT_IO, FAULT_MEMORY, FAULT_GROWTH };

void faulty_vfs_install(void); /* call it once, before SQLite is used */

void faulty_vfs_arm(enum fault_kind kind, long nth, bool for_good);
bool faulty_vfs_disarm(void); /* returns whether a fault has happened */

/* faulty_vfs_cut_power makes the disk refuse all calls. Then close what is open and call
 * faulty_vfs_restore_power, which leaves in the files only what survives. survivors: percentage
 * of the writes without sync that survive; below 100 they are chosen at random. */
void faulty_vfs_cut_power(void);
void faulty_vfs_restore_power(int survivors);

#endif
