#ifndef PLAT_CURL_MEMORY_H
#define PLAT_CURL_MEMORY_H

/** @file The global state of libcurl, with memory functions that erase secrets. */

#include <curl/curl.h>
#include <stddef.h>

/**
 * Initialises libcurl, or counts one more user of it. The first call in the process gives libcurl
 * functions that overwrite memory when they free it, since libcurl itself does not erase passwords
 * and tokens. If the application has initialised libcurl before, its memory functions stay.
 */
CURLcode plat_curl_begin(void);

/**
 * Does what realloc does, without leaving a copy of the bytes at their old place.
 * @return the block, which free takes; NULL: no memory is left, and the old block is unchanged
 */
void *plat_curl_resize(void *block, size_t size);

/** Ends one use that plat_curl_begin has begun. */
void plat_curl_end(void);

#endif
