#ifndef PLAT_DETAIL_H
#define PLAT_DETAIL_H

/**
 * @file
 * Why a stream failed, in one line.  On the heap: most streams never fail, and those that do are
 * closed soon.
 */

#if defined(__GNUC__)
#define PLAT_DETAIL_FORMAT __attribute__((format(printf, 2, 3)))
#else
#define PLAT_DETAIL_FORMAT
#endif

/** Replace *detail, NULL for none, which plat_detail_drop gives back.  Cut at 223 bytes. */
void plat_detail_set(char **detail, const char *format, ...) PLAT_DETAIL_FORMAT;

/** What was set; a text of its own when there was no memory for it. */
const char *plat_detail_text(const char *detail);

void plat_detail_drop(char **detail);

#endif
