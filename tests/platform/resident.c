#define _DEFAULT_SOURCE /* mincore */

#include "resident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

resident resident_pages(const void *block, size_t len)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t end = (uintptr_t)block + len;
    uintptr_t page = ((uintptr_t)block + size - 1) / size * size;
    resident r = { 0 };

    for (; page + size <= end; page += size) {
        unsigned char there = 0;
        assert_int_equal(mincore((void *)page, size, &there), 0);
        r.whole += size;
        r.taken += (there & 1) != 0 ? size : 0;
    }
    return r;
}
