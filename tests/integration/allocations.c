#include "allocations.h"
#include <dirent.h>

#include <stddef.h>

static unsigned count;

void *__real_malloc(size_t size);
void *__real_calloc(size_t items, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t items, size_t size);
void *__wrap_realloc(void *block, size_t size);

void *__wrap_malloc(size_t size)
{
    count++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t items, size_t size)
{
    count++;
    return __real_calloc(items, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    count++;
    return __real_realloc(block, size);
}

unsigned allocations(void)
{
    return count;
}

unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}
