#ifndef IOTHUB_SIZED_STRUCT_H
#define IOTHUB_SIZED_STRUCT_H

/**
 * @file
 * Structs that pass between an application and an SDK of another version, which may have fields
 * more or fewer at the end.
 */

#include <stddef.h>

#include "iothub/result.h"

/**
 * Copy the caller's struct.  What it lacks is zero.  IOTHUB_ERR_UNSUPPORTED when it has a field set
 * that this version does not know; what names the struct in the error.
 */
iothub_result iothub_struct_in(void *to, size_t size, const void *from, size_t from_size,
                               const char *what, iothub_error *error);

/** Fill the caller's struct.  What this version does not know is zero. */
void iothub_struct_out(void *to, size_t to_size, const void *from, size_t size);

#endif
