#ifndef HUB_SEAL_H
#define HUB_SEAL_H

/**
 * @file
 * A checksum at the end of a JSON object, as its last member: {...,"sum":"0123456789abcdef"}.
 * It finds what a bad disk or a stray program did to a file that is still good JSON.  It is no
 * protection from somebody who means harm.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The checksum itself, for what is no JSON. */
uint64_t hub_sum(const void *data, size_t len);

/** Length of what stands in place of the last '}', without a NUL. */
#define HUB_SEAL_LEN 26

/** The end of a sealed object, whose text is json[0..len) up to and including its '}'. */
void hub_seal(const char *json, size_t len, char end[HUB_SEAL_LEN + 1]);

/**
 * Check the seal and take it off: *len shrinks and the text ends with '}' again.  A text without a
 * seal (of an earlier version) is left as it is.  False: the text is not what was sealed.
 */
bool hub_unseal(char *text, size_t *len);

#endif
