#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

/** @file Device clients for the bench; a failure ends the program. */

#include <iothub/client.h>

/** ca_file NULL: its streams are plain TCP, which no hub takes. */
const plat_platform *bench_platform(const char *ca_file);

/** As iothub_new, but every byte of it counts as memory, whether it will be used or not. */
iothub_client *bench_client_new(const char *connection_string, const iothub_options *o);
void bench_client_free(iothub_client *c);

#endif
