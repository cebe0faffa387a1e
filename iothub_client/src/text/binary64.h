#ifndef IOTHUB_BINARY64_H
#define IOTHUB_BINARY64_H

/**
 * @file Numbers with a fraction, exactly: between decimal digits and a double (IEEE 754 binary64).
 * Only integers are used, so that the result does not depend on how a processor rounds.
 */

#include <stdbool.h>
#include <stdint.h>

/** Largest number of digits behind the decimal point for iothub_binary64_split. */
#define IOTHUB_BINARY64_DECIMALS 9

/**
 * The double closest to digits * 10^exponent; of two that are equally close, the one with the even
 * last bit. 0 if it is too close to zero. False: it is beyond the largest double.
 */
bool iothub_binary64_of(uint64_t digits, int32_t exponent, double *out);

/** The absolute value of a double, rounded to a number of decimals. */
typedef struct iothub_fixed {
    bool negative;
    uint64_t whole;    /**< What is before the decimal point. */
    uint32_t fraction; /**< What is behind it, as a whole number of `decimals` digits. */
} iothub_fixed;

/**
 * Rounds a double to at most IOTHUB_BINARY64_DECIMALS decimals, as printf does. False: it is not
 * finite, or its absolute value is 2^64 or more.
 */
bool iothub_binary64_split(double value, unsigned decimals, iothub_fixed *out);

#endif
