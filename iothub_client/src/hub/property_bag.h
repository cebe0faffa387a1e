#ifndef IOTHUB_PROPERTY_BAG_H
#define IOTHUB_PROPERTY_BAG_H

/**
 * @file Property bags: name=value pairs joined by '&', both sides percent-encoded, as in topics.
 * The query part of twin and method topics ($rid, $version) has the same form and is read by the
 * same functions.
 */

#include <stdbool.h>
#include <stddef.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "text/text_writer.h"

/** Appends pairs to *text, which records an overflow. */
typedef struct iothub_bag_writer {
    iothub_text *text;
    /* Number of bytes that the hub counts, before encoding: everything except the names of
     * system properties. */
    size_t counted;
    bool started;
    bool verbatim; /* the last pair needed no escape, and fitted */
} iothub_bag_writer;

static inline void iothub_bag_begin(iothub_bag_writer *w, iothub_text *text)
{
    w->text = text;
    w->counted = 0;
    w->started = false;
    w->verbatim = true;
}

/**
 * Appends an application property. Returns true if both texts were copied unchanged; they are then
 * valid UTF-8, and the name is not that of a system property. Returns false if something was
 * escaped, or did not fit.
 */
bool iothub_bag_put(iothub_bag_writer *w, const char *name, const char *value);

/**
 * Appends a system property by its short name: "mid" is sent as "%24.mid". Returns the same as
 * iothub_bag_put.
 */
bool iothub_bag_put_system(iothub_bag_writer *w, const char *name, const char *value);

/** One pair, still percent-encoded. */
typedef struct iothub_bag_pair {
    mqc_span name;
    mqc_span value;
    bool has_value; /* false: the name without '=', which stands for null */
} iothub_bag_pair;

/**
 * Removes the first pair from *rest, which at the start is the whole bag. Returns false at the end.
 * It is safe for any bytes, but only iothub_bag_check decides whether a bag is valid.
 */
bool iothub_bag_next(mqc_span *rest, iothub_bag_pair *pair);

/**
 * Checks a bag. Returns IOTHUB_ERR_PROTOCOL for an empty pair or name, or a broken
 * percent-encoding.
 */
iothub_result iothub_bag_check(mqc_span bag);

/**
 * Finds the first pair whose decoded name is name. Returns false if there is none. "$.mid" finds
 * both spellings of a system property.
 */
bool iothub_bag_find(mqc_span bag, mqc_span name, iothub_bag_pair *pair);

/** Reads a decimal value. Returns IOTHUB_ERR_PROTOCOL if it is not a number, or above 2^64 - 1. */
iothub_result iothub_bag_u64(const iothub_bag_pair *pair, uint64_t *out);

#endif
