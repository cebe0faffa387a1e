#ifndef FAULTY_VFS_H
#define FAULTY_VFS_H

#include <stdbool.h>

/*
 * SQLite's view of the disk and of memory, with faults: the nth call fails, or it and all after.
 * And a loss of power: of what was written after the last sync, none or some is there.
 */

/* FAULT_GROWTH: as FAULT_FULL, but only where a file would get a block that it does not have. */
enum fault_kind { FAULT_FULL, FAULT_IO, FAULT_MEMORY, FAULT_GROWTH };

void faulty_vfs_install(void); /* once, before SQLite is used */

void faulty_vfs_arm(enum fault_kind kind, long nth, bool for_good);
bool faulty_vfs_disarm(void); /* whether there was a fault */

/* From now on the disk refuses all; close what is open, then let the files be what survives.
 * survivors: of 100 writes that were not synced; with less than 100 chosen at random. */
void faulty_vfs_cut_power(void);
void faulty_vfs_restore_power(int survivors);

#endif
