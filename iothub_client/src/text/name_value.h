#ifndef IOTHUB_NAME_VALUE_H
#define IOTHUB_NAME_VALUE_H

/**
 * @file
 * Lists of Name=Value parts with one separator, such as connection strings and SAS tokens.
 */

#include <stdbool.h>
#include <stddef.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

/** A hint for names that are unknown here but used elsewhere. */
typedef struct iothub_name_value_hint {
    /* The names in any letter case, separated by spaces; NULL stands for all other names and
     * ends the list. */
    const char *names;
    const char *remedy; /* text that is appended to the name in an error */
} iothub_name_value_hint;

typedef struct iothub_name_value_format {
    const char *what; /* the text with which every error begins */
    char separator;
    /* White space around names and values, and the letter case of names, are ignored. */
    bool lenient;
    const char *const *names; /* the known names */
    size_t count;
    const char *no_name;  /* error text for a part without '=' */
    const char *bad_name; /* error text for a part whose name cannot be shown */
    /* The hints; the list must contain at least the entry that ends it. */
    const iothub_name_value_hint *hints;
} iothub_name_value_format;

/**
 * Sets values[i] to the value of names[i], a span of text. If a part is missing, its ptr is NULL.
 * Only the first '=' of a part separates name and value. Duplicate, empty, unknown and malformed
 * parts are refused. The error text shows names, but never values, and no name that may be a part
 * of a secret.
 */
iothub_result iothub_name_value_split(const iothub_name_value_format *f, mqc_span text,
                                      mqc_span *values, iothub_error *err);

/** Fills *err with "what: name problem". Returns code. */
iothub_result iothub_name_value_fail(const iothub_name_value_format *f, size_t name,
                                     iothub_result code, const char *problem, iothub_error *err);

#endif
