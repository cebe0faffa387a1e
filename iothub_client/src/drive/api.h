#ifndef IOTHUB_API_H
#define IOTHUB_API_H

/**
 * @file
 * The front door: what each public function does at its beginning and its end.
 */

#include "iothub/client.h"

/** Checks that c is a client and takes its lock. After a failure the lock is not held. */
iothub_result api_begin(const iothub_client *c);
/** Releases the lock and returns r. */
iothub_result api_return(const iothub_client *c, iothub_result r);

/** Ends the client. Returns false if that is refused; then nothing has changed. */
bool api_end(iothub_client *c);

#endif
