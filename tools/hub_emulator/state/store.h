#ifndef HUB_STORE_H
#define HUB_STORE_H

/**
 * @file
 * The state directory: small JSON files, each replaced as a whole, so that the files on disk are
 * complete at every moment, also after kill -9. There is no fsync: a power failure may lose the
 * last seconds.
 *
 * A damaged file is set aside (renamed to NAME.bad), never overwritten, and reported.
 */

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "base/result.h"

/** Reports a fault of the state to people, and what was done about it, in one line. */
typedef void (*hub_notice)(void *user, const char *line);

typedef struct hub_store {
    char *dir;
    hub_notice notice; /* may be NULL */
    void *user;
} hub_store;

/** Opens the store. If notice is NULL, nothing is reported. */
void hub_store_open(hub_store *s, const char *dir, hub_notice notice, void *user);
void hub_store_close(hub_store *s);

/** Returns the path of a file in the directory, on the heap. */
char *hub_store_path(const hub_store *s, const char *name);

/**
 * Writes a file that only its owner can read. A failure leaves the old content. It is reported with
 * the name of the file, but *fault does not contain the name, so that its text may be sent to a
 * client.
 */
hub_result hub_store_write(const hub_store *s, const char *name, const void *data, size_t len,
                           hub_fault *fault);
/** Writes a JSON object with a checksum. */
hub_result hub_store_write_json(const hub_store *s, const char *name, const cJSON *json,
                                hub_fault *fault);
/**
 * Reads a file. The caller frees *out. HUB_ERR_NO_RESOURCE means that there is no such file,
 * HUB_ERR_ARGUMENT that it is damaged, and HUB_ERR_STATE that it cannot be read now.
 */
hub_result hub_store_read_json(const hub_store *s, const char *name, cJSON **out, hub_fault *fault);
/**
 * Removes a file. Returns HUB_OK also if there is no such file; a failure is reported as by
 * hub_store_write.
 */
hub_result hub_store_remove(const hub_store *s, const char *name, hub_fault *fault);

/** Renames the file to NAME.bad (or .bad2 and so on), and reports it with the reason. */
void hub_store_set_aside(const hub_store *s, const char *name, const char *why);
/** Returns true if a file was set aside under this name. */
bool hub_store_has_aside(const hub_store *s, const char *name);
void hub_store_report(const hub_store *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Removes the files that a killed write has left. */
void hub_store_tidy(const hub_store *s);
/** Returns true if a file with this name shows that its directory is a state directory. */
bool hub_store_marks(const char *name);

/** Calls visit for each file whose name starts with prefix, sorted by name. */
typedef hub_result (*hub_store_visit)(void *user, const char *name, hub_fault *fault);
hub_result hub_store_each(const hub_store *s, const char *prefix, hub_store_visit visit, void *user,
                          hub_fault *fault);

#endif
