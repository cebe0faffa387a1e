#ifndef IOTHUB_CERTIFICATE_OPTIONS_CHECK_H
#define IOTHUB_CERTIFICATE_OPTIONS_CHECK_H

/** @file Copies and checks the options of a certificate that renews itself. */

#include "iothub/certificate.h"

/** Copies and checks options. The error names the first invalid one. */
iothub_result certificate_options_take(iothub_certificate_options *to,
                                       const iothub_certificate_options *from, iothub_error *error);

/** Checks whether the options of a client fit a certificate. The error names the option. */
iothub_result certificate_options_check_client(const iothub_options *o, iothub_error *error);

#endif
