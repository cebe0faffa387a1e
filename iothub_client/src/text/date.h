#ifndef IOTHUB_DATE_H
#define IOTHUB_DATE_H

#include <stdbool.h>

/**
 * Returns whether the text is a date and time as ISO 8601 and RFC 3339 write it:
 * 2026-01-31T12:00:00, with or without a fraction of the second, and with Z, an offset such as
 * +01:00, or neither.
 */
bool iothub_date_valid(const char *text);

#endif
