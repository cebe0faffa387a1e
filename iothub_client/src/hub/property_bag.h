#ifndef IOTHUB_PROPERTY_BAG_H
#define IOTHUB_PROPERTY_BAG_H

/**
 * @file
 * Property bags: name=value pairs joined by '&', both sides percent-encoded, as
 * they stand in topics.  The query part of twin and method topics ($rid, $version)
 * has the same form and is read with the same functions.
 */

#include <stdbool.h>
#include <stddef.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"
#include "text/text_writer.h"

/** Appends pairs to *text; overflow latches there. */
typedef struct iothub_bag_writer {
    iothub_text *text;
    size_t counted; /* what the hub counts, in bytes before encoding: all but system names */
    bool started;
    bool verbatim; /* the last pair needed no escape, and there was room for it */
} iothub_bag_writer;

static inline void iothub_bag_begin(iothub_bag_writer *w, iothub_text *text)
{
    w->text = text;
    w->counted = 0;
    w->started = false;
    w->verbatim = true;
}

/**
 * An application property.  True when both texts are in the bag as they were, which makes them
 * well-formed UTF-8 and the name none of a system property; false when there was anything to
 * escape, or no room.
 */
bool iothub_bag_put(iothub_bag_writer *w, const char *name, const char *value);

/** A system property by its short wire name: "mid" is sent as "%24.mid".  True as above. */
bool iothub_bag_put_system(iothub_bag_writer *w, const char *name, const char *value);

/** One pair, still percent-encoded. */
typedef struct iothub_bag_pair {
    mqc_span name;
    mqc_span value;
    bool has_value; /* false: the name alone, which means null */
} iothub_bag_pair;

/**
 * Take the first pair off *rest, which begins as the whole bag; false at the end.
 * Safe on any bytes, but only iothub_bag_check tells a good bag from a bad one.
 */
bool iothub_bag_next(mqc_span *rest, iothub_bag_pair *pair);

/** IOTHUB_ERR_PROTOCOL for an empty pair or name, or a broken percent-encoding. */
iothub_result iothub_bag_check(mqc_span bag);

/**
 * The first pair whose decoded name is name; false when absent.  "$.mid" finds
 * both spellings of a system property.
 */
bool iothub_bag_find(mqc_span bag, mqc_span name, iothub_bag_pair *pair);

/** A value that is a decimal number; IOTHUB_ERR_PROTOCOL when it is not, or above 2^64 - 1. */
iothub_result iothub_bag_u64(const iothub_bag_pair *pair, uint64_t *out);

#endif
