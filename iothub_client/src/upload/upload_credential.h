#ifndef IOTHUB_UPLOAD_CREDENTIAL_H
#define IOTHUB_UPLOAD_CREDENTIAL_H

/** @file How an upload proves to the hub which device it is. */

#include "iothub/connection_string.h"
#include "iothub/upload.h"

/**
 * Checks the credential of the options against the connection string, and reads both. The spans of
 * *device point to texts of the options.
 */
iothub_result upload_credential_read(const iothub_upload_options *o,
                                     iothub_connection_string *device, iothub_error *error);

/** Returns the certificate that is presented to the hub; NULL: none. */
plat_identity *upload_credential_identity(const iothub_upload_options *o);

#endif
