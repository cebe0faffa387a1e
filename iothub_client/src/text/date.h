#ifndef IOTHUB_DATE_H
#define IOTHUB_DATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Returns whether the text is a date and time as ISO 8601 and RFC 3339 write it:
 * 2026-01-31T12:00:00, with or without a fraction of the second, and with Z, an offset such as
 * +01:00, or neither.
 */
bool iothub_date_valid(const char *text);

/**
 * Sets *s to the seconds since 1970 of such a text; without an offset it counts as UTC. A fraction
 * of the second is dropped. Returns false if it is not valid, or before 1970.
 */
bool iothub_date_seconds(const char *text, int64_t *s);

#endif
