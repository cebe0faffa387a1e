#ifndef IOTHUB_NAME_VALUE_H
#define IOTHUB_NAME_VALUE_H

/**
 * @file
 * Lists of Name=Value parts with one separator: connection strings and SAS tokens.
 */

#include <stdbool.h>
#include <stddef.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/** What to do about names that are not known here, but in use elsewhere. */
typedef struct iothub_name_value_hint {
    const char *names;  /* with a space between them; NULL: any other name, which ends the list */
    const char *remedy; /* goes behind the name */
} iothub_name_value_hint;

typedef struct iothub_name_value_format {
    const char *what; /* begins every error text */
    char separator;
    bool lenient;             /* white space around names and values is ignored, and the letter
                                 case of names */
    const char *const *names; /* the known ones */
    size_t count;
    const char *no_name;                 /* what is wrong with a part without '=', */
    const char *bad_name;                /* and with one whose name cannot be shown */
    const iothub_name_value_hint *hints; /* at least the one that ends the list */
} iothub_name_value_format;

/**
 * Put the value of names[i] into values[i], which borrows from text; an absent
 * part has ptr NULL.  Only the first '=' of a part splits.  Refuses duplicate,
 * empty, unknown and malformed parts; the error text shows names, never values,
 * and no name that might be half of a secret.
 */
iothub_result iothub_name_value_split(const iothub_name_value_format *f, mqc_span text,
                                      mqc_span *values, iothub_error *err);

/** Fill *err with "what: name problem" and return code. */
iothub_result iothub_name_value_fail(const iothub_name_value_format *f, size_t name,
                                     iothub_result code, const char *problem, iothub_error *err);

#endif
