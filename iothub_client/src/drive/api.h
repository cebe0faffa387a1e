#ifndef IOTHUB_API_H
#define IOTHUB_API_H

/** @file The front door: what each public function does first and last. */

#include "iothub/client.h"

/** Checks that c is a client and takes its lock. After a failure the lock was not taken. */
iothub_result api_begin(const iothub_client *c);
/** Releases the lock and returns r. */
iothub_result api_return(const iothub_client *c, iothub_result r);

/** Ends the client. False: refused, and nothing has changed. */
bool api_end(iothub_client *c);

#endif
