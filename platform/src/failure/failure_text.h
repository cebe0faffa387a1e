#ifndef PLAT_FAILURE_TEXT_H
#define PLAT_FAILURE_TEXT_H

/**
 * @file
 * A line of text for people that explains why a stream has failed. It is on the heap, because most
 * streams never fail, and those that do are closed soon.
 */

#if defined(__GNUC__)
#define PLAT_FAILURE_TEXT_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define PLAT_FAILURE_TEXT_FORMAT
#endif

/** The longest text, in bytes. */
#define PLAT_FAILURE_TEXT_MAX 223

/** Sets *detail to a formatted text of at most PLAT_FAILURE_TEXT_MAX bytes, instead of an earlier
 * one or NULL. plat_failure_text_drop frees it. */
void plat_failure_text_set(char **detail, const char *format, ...) PLAT_FAILURE_TEXT_FORMAT;

/** Returns the text that was set. If there was no memory for it, returns a text that says so. */
const char *plat_failure_text_get(const char *detail);

/** Frees the text and sets *detail to NULL. */
void plat_failure_text_drop(char **detail);

#endif
