#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

/**
 * @file
 * Helpers that make device clients for the bench. A failure ends the program.
 */

#include <iothub/client.h>

/**
 * Returns a platform with streams that trust ca_file. If it is NULL, the streams are plain TCP,
 * which no hub accepts.
 */
const plat_platform *bench_platform(const char *ca_file);

/**
 * The same as iothub_new, but every byte of the client counts as used memory, even if it is not
 * used.
 */
iothub_client *bench_client_new(const char *connection_string, const iothub_options *o);
void bench_client_free(iothub_client *c);

#endif
