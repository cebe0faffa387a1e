#include "memory/wipe_memory.h"

#include <string.h>

/* A compiler may leave out a memset whose result is never read, but not a call through a volatile
 * pointer. A long memset is one instruction that starts slowly, so it is done in pieces. */
void plat_wipe(void *bytes, size_t len)
{
    static void *(*const volatile set)(void *, int, size_t) = memset;
    enum { PIECE = 512 };
    unsigned char *at = bytes;

    for (; len > PIECE; at += PIECE, len -= PIECE) {
        (void)set(at, 0, PIECE);
    }
    (void)set(at, 0, len);
}
