#ifndef IOTHUB_SIZED_STRUCT_H
#define IOTHUB_SIZED_STRUCT_H

/**
 * @file
 * Structs that are passed between an application and an SDK of another version. The newer one may
 * have more fields at the end.
 */

#include <stddef.h>

#include "iothub/result.h"

/**
 * Copies the caller's struct; missing fields become zero. Returns IOTHUB_ERR_UNSUPPORTED if a field
 * is set that this version does not know. `what` names the struct in the error.
 */
iothub_result iothub_struct_in(void *to, size_t to_size, const void *from, size_t from_size,
                               const char *what, iothub_error *error);

/** Fills the caller's struct; fields that this version does not know become zero. */
void iothub_struct_out(void *to, size_t to_size, const void *from, size_t from_size);

#endif
