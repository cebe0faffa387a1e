#ifndef HUB_SEAL_H
#define HUB_SEAL_H

/**
 * @file
 * A checksum at the end of a JSON object, as its last member: {...,"check":"0123456789abcdef"}. It
 * detects damage by a bad disk or another program to a file that is still valid JSON. It does not
 * protect against an attacker.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/** Length of a checksum as text, without a NUL. */
#define HUB_SUM_LEN 16

/** Appends the checksum of the data, in hexadecimal digits. */
void hub_sum_add(hub_text *out, const void *data, size_t len);

/** Adds the checksum to an object: json is its text, up to and including the last '}'. */
void hub_seal(hub_text *json);

/**
 * Checks the checksum and removes it: *len shrinks, and the text ends with '}' again. A text
 * without a checksum (of an earlier version) is not changed. Returns false if the checksum does not
 * match.
 */
bool hub_unseal(char *text, size_t *len);

#endif
