#ifndef PLAT_FAILURE_TEXT_H
#define PLAT_FAILURE_TEXT_H

/**
 * @file
 * Why a stream failed, in one line.  On the heap: most streams never fail, and those that do are
 * closed soon.
 */

#if defined(__GNUC__)
#define PLAT_FAILURE_TEXT_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define PLAT_FAILURE_TEXT_FORMAT
#endif

/** Replace *detail, NULL for none, which plat_failure_text_drop gives back.  Cut at 223 bytes. */
void plat_failure_text_set(char **detail, const char *format, ...) PLAT_FAILURE_TEXT_FORMAT;

/** What was set; a text of its own when there was no memory for it. */
const char *plat_failure_text_get(const char *detail);

void plat_failure_text_drop(char **detail);

#endif
