#include "text/binary64.h"

#include <float.h>
#include <stddef.h>
#include <string.h>

/* Does not compile if double is not IEEE 754 binary64. */
typedef char binary64_is_double[sizeof(double) == sizeof(uint64_t) && DBL_MANT_DIG == 53 ? 1 : -1];

enum {
    MANTISSA_BITS = 52,
    EXPONENT_BIAS = 1023,
    EXPONENT_MIN = -1022, /* smallest exponent of a number that has all its bits */
    EXPONENT_ALL = 0x7FF, /* exponent of infinity, or not a number */
    /* Powers of ten outside these bounds are far beyond the largest or smallest double, whatever
     * 64-bit number they are multiplied by. */
    DECIMAL_MIN = -345,
    DECIMAL_MAX = 310
};

#define SIGN_BIT (UINT64_C(1) << 63)
/* The first bit of every number, which is not stored. */
#define HIDDEN (UINT64_C(1) << MANTISSA_BITS)

/* --- large whole numbers --------------------------------------------------------- */

/* 5^345 has 802 bits, 2^64 * 5^310 has 784, and the division shifts by one more. */
enum { WORDS = 28 };

typedef struct big {
    uint32_t words[WORDS]; /* the lowest word first; words from `used` on are zero */
    size_t used;
} big;

static void set(big *b, uint64_t n)
{
    memset(b, 0, sizeof *b);
    b->words[0] = (uint32_t)n;
    b->words[1] = (uint32_t)(n >> 32);
    b->used = b->words[1] != 0 ? 2 : b->words[0] != 0 ? 1 : 0;
}

static void multiply(big *b, uint32_t factor)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < b->used; i++) {
        carry += (uint64_t)b->words[i] * factor;
        b->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        b->words[b->used++] = (uint32_t)carry;
    }
}

static void multiply_by_power_of_5(big *b, unsigned power)
{
    /* 5^13 is the largest power of five that fits into 32 bits. */
    enum { STEP = 13, FIVE_TO_STEP = 1220703125 };

    for (; power >= STEP; power -= STEP) {
        multiply(b, FIVE_TO_STEP);
    }
    for (; power > 0; power--) {
        multiply(b, 5);
    }
}

static int32_t bit_length(const big *b)
{
    int32_t bits = (int32_t)(b->used * 32);

    for (uint32_t top = b->words[b->used - 1]; top < 0x80000000; top <<= 1) {
        bits--;
    }
    return bits;
}

static void shift_left(big *b, unsigned bits)
{
    const size_t whole = bits / 32;

    multiply(b, (uint32_t)1 << bits % 32);
    memmove(b->words + whole, b->words, b->used * sizeof b->words[0]);
    memset(b->words, 0, whole * sizeof b->words[0]);
    b->used += whole;
}

static bool less(const big *a, const big *b)
{
    if (a->used != b->used) {
        return a->used < b->used;
    }
    for (size_t i = a->used; i-- > 0;) {
        if (a->words[i] != b->words[i]) {
            return a->words[i] < b->words[i];
        }
    }
    return false;
}

/* Computes a -= b; b must not be larger than a. */
static void subtract(big *a, const big *b)
{
    uint32_t borrow = 0;

    for (size_t i = 0; i < a->used; i++) {
        const uint64_t take = (uint64_t)b->words[i] + borrow;
        borrow = a->words[i] < take ? 1 : 0;
        a->words[i] = (uint32_t)(a->words[i] - take);
    }
    while (a->used > 0 && a->words[a->used - 1] == 0) {
        a->used--;
    }
}

/* --- from digits to a double ----------------------------------------------------- */

/* A number above zero: its first 64 bits (of which the first is set) times 2^exponent, and
 * whether further bits follow. */
typedef struct leading {
    uint64_t bits;
    int32_t exponent;
    bool more;
} leading;

/* Computes a / b * 2^exponent. */
static leading divide(big *a, big *b, int32_t exponent)
{
    const int32_t shift = bit_length(a) - bit_length(b);
    leading q = { .exponent = exponent + shift };

    shift_left(shift < 0 ? a : b, (unsigned)(shift < 0 ? -shift : shift));
    /* From here on, a / b is more than 1/2 and less than 2. */
    if (less(a, b)) {
        shift_left(a, 1);
        q.exponent--;
    }
    for (int i = 0; i < 64; i++) {
        q.bits <<= 1;
        if (!less(a, b)) {
            subtract(a, b);
            q.bits |= 1;
        }
        shift_left(a, 1);
    }
    q.exponent -= 63;
    q.more = a->used != 0;
    return q;
}

/* Returns the bits of the closest double, or infinity if the number is too large. */
static uint64_t rounded(const leading *q)
{
    const int32_t exponent = q->exponent + 63; /* exponent of the first bit */
    const int32_t missing = exponent < EXPONENT_MIN ? EXPONENT_MIN - exponent : 0;
    const int32_t dropped = 63 - MANTISSA_BITS + missing;

    if (exponent > EXPONENT_BIAS) {
        return (uint64_t)EXPONENT_ALL << MANTISSA_BITS;
    }
    if (dropped > 64) {
        return 0;
    }
    const uint64_t half = UINT64_C(1) << (dropped - 1);
    const uint64_t rest = q->bits & (half | (half - 1));
    uint64_t kept = dropped < 64 ? q->bits >> dropped : 0;
    if (rest > half || (rest == half && (q->more || (kept & 1) != 0))) {
        kept++; /* a carry into the exponent gives the right result, too */
    }
    return missing > 0 ? kept
                       : ((uint64_t)(exponent + EXPONENT_BIAS) << MANTISSA_BITS) + (kept - HIDDEN);
}

bool iothub_binary64_of(uint64_t digits, int32_t exponent, double *out)
{
    const uint64_t infinite = (uint64_t)EXPONENT_ALL << MANTISSA_BITS;
    uint64_t bits = 0;
    big above;
    big below;

    if (digits != 0 && exponent > DECIMAL_MAX) {
        return false;
    }
    if (digits != 0 && exponent >= DECIMAL_MIN) {
        set(&above, digits);
        set(&below, 1);
        multiply_by_power_of_5(exponent < 0 ? &below : &above,
                               (unsigned)(exponent < 0 ? -exponent : exponent));
        const leading q = divide(&above, &below, exponent);
        bits = rounded(&q);
    }
    if (bits >= infinite) {
        return false;
    }
    memcpy(out, &bits, sizeof *out);
    return true;
}

/* --- from a double to digits ----------------------------------------------------- */

/* Returns numerator * scale / 2^shift, rounded to the nearest whole number; of two equally near
 * ones to the even one. `odd` means that an odd number precedes it. The result has 32 bits, the
 * numerator at most 53. */
static uint32_t scaled(uint64_t numerator, uint32_t scale, unsigned shift, bool odd)
{
    uint64_t low = (numerator & UINT32_MAX) * scale;
    uint64_t high = (numerator >> 32) * scale + (low >> 32);
    bool below_half = false;

    low &= UINT32_MAX;
    for (; shift > 1; shift--) {
        below_half = below_half || (low & 1) != 0;
        low = low >> 1 | (high & 1) << 31;
        high >>= 1;
    }
    /* All that is left are the 32 bits of `low`: halves of the result. */
    const bool up = (low & 1) != 0 && (below_half || odd || (low & 2) != 0);
    return (uint32_t)(low / 2) + (up ? 1 : 0);
}

static uint32_t power_of_10(unsigned power)
{
    uint32_t n = 1;

    while (power-- > 0) {
        n *= 10;
    }
    return n;
}

bool iothub_binary64_split(double value, unsigned decimals, iothub_fixed *out)
{
    enum { POINT_MAX = 100 }; /* with more bits after the point, 9 decimals are zero */
    const uint32_t scale = power_of_10(decimals);
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    const int32_t biased = (int32_t)(bits >> MANTISSA_BITS & EXPONENT_ALL);
    const uint64_t mantissa = (bits & (HIDDEN - 1)) | (biased != 0 ? HIDDEN : 0);
    const int32_t point = EXPONENT_BIAS + MANTISSA_BITS - (biased != 0 ? biased : 1);
    const iothub_fixed zero = { .negative = (bits & SIGN_BIT) != 0 };
    *out = zero;
    if (point < -11) {
        return false; /* 2^64 or more, infinity, or not a number */
    }
    if (point <= 0) {
        out->whole = mantissa << -point;
        return true;
    }
    if (point > POINT_MAX) {
        return true;
    }
    out->whole = point < 64 ? mantissa >> point : 0;
    const uint64_t part = point < 64 ? mantissa & ((UINT64_C(1) << point) - 1) : mantissa;
    out->fraction = scaled(part, scale, (unsigned)point, decimals == 0 && (out->whole & 1) != 0);
    if (out->fraction == scale) { /* the fraction was rounded up to one */
        out->fraction = 0;
        out->whole++;
    }
    return true;
}
