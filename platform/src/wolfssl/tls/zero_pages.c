#include "wolfssl/tls/zero_pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>

#if defined(XMALLOC_USER) || defined(XMALLOC_OVERRIDE) || defined(WOLFSSL_STATIC_MEMORY)
#define OTHER_MALLOC 1
#else
#define OTHER_MALLOC 0
#endif

#if defined(__linux__) && defined(__GLIBC__) && !OTHER_MALLOC

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns whether wolfSSL uses malloc. An application may have given it another allocator, whose
 * memory must not be returned to the system. */
static bool is_from_malloc(void)
{
    wolfSSL_Malloc_cb allocate = NULL;
    wolfSSL_Free_cb release = NULL;
    wolfSSL_Realloc_cb resize = NULL;
    return wolfSSL_GetAllocators(&allocate, &release, &resize) == 0 &&
           (allocate == NULL || allocate == malloc);
}

static bool is_zero(const unsigned char *page, size_t size)
{
    return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

static void give_back(unsigned char *from, const unsigned char *to)
{
    if (from < to) {
        (void)madvise(from, (size_t)(to - from), MADV_DONTNEED);
    }
}

void plat_zero_pages_give_back(void *block)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    if (block == NULL || !is_from_malloc()) {
        return;
    }
    unsigned char *at = block;
    const unsigned char *end = at + malloc_usable_size(at);
    unsigned char *page = at + (-(uintptr_t)at & (size - 1));
    unsigned char *run = page;
    for (; page + size <= end; page += size) {
        if (!is_zero(page, size)) {
            give_back(run, page);
            run = page + size;
        }
    }
    give_back(run, page);
}

#else

void plat_zero_pages_give_back(void *block)
{
    (void)block;
}

#endif
