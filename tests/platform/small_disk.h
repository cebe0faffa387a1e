#ifndef SMALL_DISK_H
#define SMALL_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* A real file system of a few megabytes, mounted on a directory, and another user who fills it.
 * The process mounts it in a mount namespace of its own, so that it disappears when the process
 * ends. */

enum small_disk_kind { SMALL_DISK_TMPFS, SMALL_DISK_EXT4 };

/* Call it once, before anything is mounted. Returns false if this process is not allowed to
 * mount. */
bool small_disk_prepare(void);

/* Returns false if this kind of file system cannot be mounted here; the reason is printed. */
bool small_disk_mount(enum small_disk_kind kind, unsigned megabytes, const char *dir);
void small_disk_unmount(const char *dir);
bool small_disk_read_only(const char *dir, bool read_only);

/* Plays the other user: a file grows until no free block is left. Later calls make it grow
 * further. */
void small_disk_fill(const char *dir);
void small_disk_free(const char *dir); /* removes that file */
/* Returns the number of bytes that can still be written to a file. */
uint64_t small_disk_left(const char *dir);

#endif
