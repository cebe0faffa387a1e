#ifndef HUB_STORE_H
#define HUB_STORE_H

/**
 * @file
 * The state directory: small JSON files, each replaced as a whole, so that what
 * is on disk is complete at every moment, also after kill -9.  Nothing is forced to the disk
 * itself: the last seconds before a power cut may be lost.
 *
 * A file that is damaged is set aside (renamed to NAME.bad), never overwritten, and reported.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/result.h"

/** Reports to people, in one line, a fault of the state and what was done about it. */
typedef void (*hub_notice)(void *user, const char *line);

typedef struct hub_store {
    char *dir;
    hub_notice notice; /* may be NULL */
    void *user;
} hub_store;

/** notice may be NULL: nothing is reported then. */
void hub_store_open(hub_store *s, const char *dir, hub_notice notice, void *user);
void hub_store_close(hub_store *s);

/** Returns the path of a file in the directory, on the heap. */
char *hub_store_path(const hub_store *s, const char *name);

/**
 * Writes a file that only its owner can read.  A failure leaves the old content; it is reported
 * with the name of the file, and *fault names none, so that its text may be sent to a client.
 */
hub_result hub_store_write(const hub_store *s, const char *name, const void *data, size_t len,
                           hub_fault *fault);
/** json is an object; it is written with a checksum. */
hub_result hub_store_write_json(const hub_store *s, const char *name, const cJSON *json,
                                hub_fault *fault);
/**
 * *out belongs to the caller.  HUB_ERR_NO_RESOURCE when there is no such file, HUB_ERR_ARGUMENT
 * when it is damaged, HUB_ERR_STATE when it cannot be read now.
 */
hub_result hub_store_read_json(const hub_store *s, const char *name, cJSON **out, hub_fault *fault);
/** HUB_OK also when there is no such file; a failure is reported as by hub_store_write. */
hub_result hub_store_remove(const hub_store *s, const char *name, hub_fault *fault);

/** Rename the file to NAME.bad, or .bad2 and so on, and report it with the reason. */
void hub_store_set_aside(const hub_store *s, const char *name, const char *why);
/** True if a file was set aside under this name. */
bool hub_store_has_aside(const hub_store *s, const char *name);
void hub_store_report(const hub_store *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Remove what a write that was killed left behind. */
void hub_store_tidy(const hub_store *s);
/** True if a file of this name shows that its directory is a state directory. */
bool hub_store_marks(const char *name);

/** Call visit for each file whose name starts with prefix, in order of name. */
typedef hub_result (*hub_store_visit)(void *user, const char *name, hub_fault *fault);
hub_result hub_store_each(const hub_store *s, const char *prefix, hub_store_visit visit, void *user,
                          hub_fault *fault);

#endif
