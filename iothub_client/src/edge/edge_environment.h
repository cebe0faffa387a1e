#ifndef IOTHUB_EDGE_ENVIRONMENT_H
#define IOTHUB_EDGE_ENVIRONMENT_H

/** @file What IoT Edge tells a module in environment variables. */

#include "edge/workload.h"
#include "iothub/result.h"
#include "text/text_writer.h"

/** The values of the environment variables; NULL: not set. */
typedef struct edge_environment {
    const char *simulator; /* EdgeHubConnectionString; if it is set, the next members are NULL */
    const char *ca_file;   /* EdgeModuleCACertificateFile */

    const char *host_name;
    const char *gateway_host_name; /* may be NULL */
    const char *device_id;
    workload_module module;
} edge_environment;

/** Reads and checks the variables. get works like getenv. */
iothub_result edge_environment_read(edge_environment *e, char *(*get)(const char *name),
                                    iothub_error *error);

/** Writes the connection string, without a key unless it is the simulator's. */
void edge_environment_put_connection_string(iothub_text *t, const edge_environment *e);

#endif
