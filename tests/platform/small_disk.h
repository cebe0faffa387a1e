#ifndef SMALL_DISK_H
#define SMALL_DISK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A real file system of a few megabytes, mounted over a directory, and another user who fills it.
 * Mounting is done in a mount namespace of this process, which takes its mounts along when it ends.
 */

enum small_disk_kind { SMALL_DISK_TMPFS, SMALL_DISK_EXT4 };

/* Once, before anything is mounted.  False: this process may not mount. */
bool small_disk_prepare(void);

/* False: not here; the reason is printed. */
bool small_disk_mount(enum small_disk_kind kind, unsigned megabytes, const char *dir);
void small_disk_unmount(const char *dir);
bool small_disk_read_only(const char *dir, bool read_only);

/* A file that takes all blocks that are free; it takes more each time. */
void small_disk_fill(const char *dir);
void small_disk_free(const char *dir); /* the file is removed */
/* Bytes that a file could still take. */
uint64_t small_disk_left(const char *dir);

#endif
