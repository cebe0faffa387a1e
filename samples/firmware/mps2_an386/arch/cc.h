#ifndef ARCH_CC_H
#define ARCH_CC_H

/* What lwIP asks of compiler and board. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t board_random(void); /* network.c */

#define LWIP_RAND() board_random()
#define LWIP_PLATFORM_DIAG(x) \
    do {                      \
        printf x;             \
    } while (0)
#define LWIP_PLATFORM_ASSERT(x)    \
    do {                           \
        printf("lwIP: %s\n", (x)); \
        abort();                   \
    } while (0)

#endif
