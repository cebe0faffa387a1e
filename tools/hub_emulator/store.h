#ifndef HUB_STORE_H
#define HUB_STORE_H

/**
 * @file
 * The state directory: small JSON files, each replaced as a whole, so that what
 * is on disk is complete at every moment, also after kill -9.
 */

#include <cjson/cJSON.h>

#include "result.h"

typedef struct hub_store {
    char *dir;
} hub_store;

void hub_store_open(hub_store *s, const char *dir);
void hub_store_close(hub_store *s);

/** Path of a file in the directory, on the heap. */
char *hub_store_path(const hub_store *s, const char *name);

/** Readable by the owner only. */
hub_result hub_store_write(const hub_store *s, const char *name, const void *data, size_t len,
                           hub_fault *fault);
hub_result hub_store_write_json(const hub_store *s, const char *name, const cJSON *json,
                                hub_fault *fault);
/** *out belongs to the caller.  HUB_ERR_NO_RESOURCE when there is no such file. */
hub_result hub_store_read_json(const hub_store *s, const char *name, cJSON **out, hub_fault *fault);
void hub_store_remove(const hub_store *s, const char *name);

/** Call visit for each file whose name starts with prefix, in order of name. */
typedef hub_result (*hub_store_visit)(void *user, const char *name, hub_fault *fault);
hub_result hub_store_each(const hub_store *s, const char *prefix, hub_store_visit visit, void *user,
                          hub_fault *fault);

#endif
