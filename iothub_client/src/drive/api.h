#ifndef IOTHUB_API_H
#define IOTHUB_API_H

/**
 * @file
 * The front door: what each public function does first and last.
 */

#include "iothub/client.h"

/** IOTHUB_OK when c is a client, whose lock is then entered; otherwise nothing was. */
iothub_result api_begin(const iothub_client *c);
/** Leave the lock, and return r. */
iothub_result api_return(const iothub_client *c, iothub_result r);

/** iothub_deinit.  False: refused, and all is as it was. */
bool api_end(iothub_client *c);

#endif
