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

/** The remedy for names that are unknown here but used elsewhere. */
typedef struct iothub_name_value_hint {
    const char *names;  /* in any letter case, separated by spaces; NULL stands for all other names
                           and ends the list */
    const char *remedy; /* goes behind the name */
} iothub_name_value_hint;

typedef struct iothub_name_value_format {
    const char *what; /* begins every error text */
    char separator;
    bool lenient;             /* white space around names and values is ignored, and the letter
                                 case of names */
    const char *const *names; /* the known ones */
    size_t count;
    const char *no_name;                 /* the fault of a part without '=' */
    const char *bad_name;                /* the fault of a part whose name cannot be shown */
    const iothub_name_value_hint *hints; /* has at least the entry that ends the list */
} iothub_name_value_format;

/**
 * Sets values[i] to the value of names[i], a span of text; an absent part has ptr NULL. Only the
 * first '=' of a part separates name and value. Duplicate, empty, unknown and malformed parts are
 * refused. The error text shows names, never values, and no name that may be a part of a secret.
 */
iothub_result iothub_name_value_split(const iothub_name_value_format *f, mqc_span text,
                                      mqc_span *values, iothub_error *err);

/** Fills *err with "what: name problem" and returns code. */
iothub_result iothub_name_value_fail(const iothub_name_value_format *f, size_t name,
                                     iothub_result code, const char *problem, iothub_error *err);

#endif
