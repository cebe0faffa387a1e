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

/** What to do about a name that is not known here, but in use elsewhere. */
typedef struct iothub_parts_hint {
    const char *name;
    const char *remedy;
} iothub_parts_hint;

typedef struct iothub_parts_format {
    const char *what; /* begins every error text */
    char separator;
    bool ignore_case;         /* in names */
    bool trim;                /* names and values: white space around them is ignored */
    const char *const *names; /* the known ones */
    size_t count;
    const char *no_name;            /* what is wrong with a part without '=', */
    const char *bad_name;           /* and with one whose name cannot be shown */
    const iothub_parts_hint *hints; /* ends with a name of NULL, whose remedy is for all others */
} iothub_parts_format;

/**
 * Put the value of names[i] into values[i], which borrows from text; an absent
 * part has ptr NULL.  Only the first '=' of a part splits.  Refuses duplicate,
 * empty, unknown and malformed parts; the error text shows names, never values,
 * and no name that might be half of a secret.
 */
iothub_result iothub_parts_split(const iothub_parts_format *f, mqc_span text, mqc_span *values,
                                 iothub_error *err);

/** Fill *err with "what: name problem" and return code. */
iothub_result iothub_parts_fail(const iothub_parts_format *f, size_t name, iothub_result code,
                                const char *problem, iothub_error *err);

/** IOTHUB_ERR_PART_MISSING that names the part. */
iothub_result iothub_parts_missing(const iothub_parts_format *f, size_t name, iothub_error *err);

/** text without white space at both ends. */
mqc_span iothub_trim(mqc_span text);

#endif
