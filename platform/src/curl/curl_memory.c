#include "curl/curl_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "memory/wipe_memory.h"

/* The blocks are those of malloc, so an application may mix them with its own. */
static void erase_and_free(void *block)
{
    if (block != NULL) {
        plat_wipe(block, malloc_usable_size(block));
        free(block);
    }
}

void *plat_curl_resize(void *block, size_t size)
{
    void *larger = malloc(size > 0 ? size : 1);

    if (larger == NULL || block == NULL) {
        return larger;
    }
    const size_t old = malloc_usable_size(block);
    memcpy(larger, block, old < size ? old : size);
    erase_and_free(block);
    return larger;
}

CURLcode plat_curl_begin(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, erase_and_free, plat_curl_resize,
                                strdup, calloc);
}

void plat_curl_end(void)
{
    curl_global_cleanup();
}
