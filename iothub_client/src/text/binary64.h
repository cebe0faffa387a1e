#ifndef IOTHUB_BINARY64_H
#define IOTHUB_BINARY64_H

/**
 * @file
 * Converts exactly between decimal digits and a double (IEEE 754 binary64). Only integers are used,
 * so the result does not depend on how a processor rounds.
 */

#include <stdbool.h>
#include <stdint.h>

/** Largest number of digits after the decimal point for iothub_binary64_split. */
#define IOTHUB_BINARY64_DECIMALS 9

/**
 * Returns in *out the double closest to digits * 10^exponent; of two equally close ones, the one
 * with an even last bit. *out is 0 if the number is too close to zero. Returns false if the number
 * is larger than the largest double.
 */
bool iothub_binary64_of(uint64_t digits, int32_t exponent, double *out);

/** The absolute value of a double, rounded to a number of decimals. */
typedef struct iothub_fixed {
    bool negative;
    uint64_t whole;    /**< The digits before the decimal point. */
    uint32_t fraction; /**< The digits after it, as a whole number of `decimals` digits. */
} iothub_fixed;

/**
 * Rounds a double to at most IOTHUB_BINARY64_DECIMALS decimals, as printf does. Returns false if it
 * is not finite, or its absolute value is 2^64 or more.
 */
bool iothub_binary64_split(double value, unsigned decimals, iothub_fixed *out);

#endif
