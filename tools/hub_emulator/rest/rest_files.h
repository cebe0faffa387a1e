#ifndef REST_FILES_H
#define REST_FILES_H

/**
 * @file
 * File uploads of devices: the requests that begin and end them, and endpoints of the emulator that
 * show them. The storage itself is in the folder `server`.
 */

#include "rest/rest_route.h"

extern const rest_route rest_files_routes[];

#endif
