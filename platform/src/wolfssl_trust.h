#ifndef PLAT_WOLFSSL_TRUST_H
#define PLAT_WOLFSSL_TRUST_H

/** @file How long the verification of a chain of certificates holds. */

#include <stdbool.h>
#include <stdint.h>

#define PLAT_DATE_SIZE 16

typedef struct plat_trust {
    int64_t judged_at_s;
    char valid_until[PLAT_DATE_SIZE]; /* the first certificate of the chain to expire */
} plat_trust;

/** date: YYYYMMDDHHMMSSZ, or "" which is always past. */
bool plat_date_is_past(const char *date, int64_t now_s);

#endif
