#ifndef IOTHUB_JSON_H
#define IOTHUB_JSON_H

/**
 * @file
 * A reader for JSON texts (RFC 8259), such as desired properties and the payload of a method call.
 *
 * The reader walks through a text item by item, from its first byte to its last, and each byte is
 * read once. It uses no heap and no recursion, copies nothing and builds no tree: names and values
 * are spans of the text, which must stay unchanged while they are used.
 *
 * @code
 * iothub_json_reader r;
 * iothub_json_reader_init(&r, json);
 * while (iothub_json_next(&r)) {
 *     if (r.depth == 1 && iothub_json_equals(r.name, "interval")) {
 *         iothub_json_get_int(r.value, &interval);
 *     }
 * }
 * if (r.result != IOTHUB_OK) { ... not JSON: the fault is at byte r.offset ... }
 * @endcode
 *
 * The reader is strict. It refuses comments, a comma after the last member, numbers such as 01 or
 * .5, control characters in strings, invalid UTF-8, an escaped surrogate without its other half, a
 * byte order mark, anything after the outermost value, and more than IOTHUB_JSON_DEPTH levels. It
 * reports a fault when it reaches it, so that items before the fault have been returned already.
 *
 * An object may contain the same name twice. The reader returns both members, since comparing names
 * would take memory; the hub itself never sends a name twice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/result.h"
#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest number of arrays and objects around an item. A twin may have ten levels. */
#define IOTHUB_JSON_DEPTH 32

/** Kind of a JSON value, or of an item of a reader. */
typedef enum iothub_json_kind {
    IOTHUB_JSON_NONE = 0, /**< No value: nothing was read yet, or there is no more. */
    IOTHUB_JSON_OBJECT,   /**< The start of an object. */
    IOTHUB_JSON_ARRAY,    /**< The start of an array. */
    IOTHUB_JSON_STRING,   /**< A string. */
    IOTHUB_JSON_NUMBER,   /**< A number. */
    IOTHUB_JSON_TRUE,     /**< true */
    IOTHUB_JSON_FALSE,    /**< false */
    IOTHUB_JSON_NULL,     /**< null */
    IOTHUB_JSON_END       /**< The end of an object or array; only a reader has this kind. */
} iothub_json_kind;

/** What a reader expects next. For the reader only. */
typedef enum iothub_json_expect {
    IOTHUB_JSON_EXPECT_VALUE = 0, /**< The outermost value. */
    IOTHUB_JSON_EXPECT_FIRST,     /**< The first member, or the end of an empty object or array. */
    IOTHUB_JSON_EXPECT_NEXT,      /**< A comma or the end of an object, array or text. */
    IOTHUB_JSON_EXPECT_NOTHING    /**< The text has ended, or it has a fault. */
} iothub_json_expect;

/**
 * A walk through a JSON text. iothub_json_reader_init fills it. A copy of the struct is a second
 * walk that continues from the same item.
 */
typedef struct iothub_json_reader {
    iothub_json_kind kind; /**< Kind of the current item. */
    /** Number of objects and arrays around the current item: 0 for the outermost value, 1 for its
     * members. The start and the end of an object or array have the same depth. */
    unsigned depth;
    /** Name of the current item as a JSON string, with its quotes and escapes; see
     * iothub_json_equals. Empty in an array, for the outermost value, and for IOTHUB_JSON_END. */
    mqc_span name;
    /** The current value as it is written, without white space around it: a string with its quotes,
     * a number with all its digits. The start of an object or array is its bracket alone;
     * iothub_json_skip makes it the whole object or array. */
    mqc_span value;
    /** After iothub_json_next has returned false: IOTHUB_OK if the text is one JSON value,
     * otherwise IOTHUB_ERR_JSON. */
    iothub_result result;
    /** Number of bytes that were read; after a fault, its position counted from 0. */
    size_t offset;

    mqc_span text;             /**< Private. */
    iothub_json_expect expect; /**< Private. */
    uint32_t braces;           /**< Private. */
    unsigned open;             /**< Private. */
} iothub_json_reader;

/**
 * Begins a walk at the start of a text.
 *
 * @param[out] r  the reader
 * @param text    the JSON text; it is not copied
 */
void iothub_json_reader_init(iothub_json_reader *r, mqc_span text);

/**
 * Reads the next item: a value, the start or the end of an object or array.
 *
 * @param r  the reader
 * @return true if there is an item, which r then describes; false at the end of the text and at a
 *         fault, with r->result
 */
bool iothub_json_next(iothub_json_reader *r);

/**
 * Reads to the end of the object or array whose start is the current item. The item then describes
 * it completely: its name, its kind, and its text in r->value. Any other item stays as it is.
 *
 * @param r  the reader
 * @return false at a fault inside, with r->result
 */
bool iothub_json_skip(iothub_json_reader *r);

/**
 * Returns the kind of a value by its first character, without reading the rest.
 *
 * @param value  a JSON text; white space before the value is ignored
 * @return the kind; IOTHUB_JSON_NONE if no JSON value begins with this character
 */
iothub_json_kind iothub_json_kind_of(mqc_span value);

/**
 * Compares a JSON string with a text by its meaning: "\u0061b" equals ab.
 *
 * @param string  a name or a value of a reader
 * @param text    UTF-8, NUL-terminated
 * @return true if they are equal; false also if string is not a JSON string
 */
bool iothub_json_equals(mqc_span string, const char *text);

/**
 * Copies a JSON string without its quotes and with its escapes replaced by UTF-8.
 *
 * @param string    a name or a value of a reader
 * @param[out] out  the text, NUL-terminated; unchanged if the function fails
 * @param cap       size of out in bytes
 * @param[out] len  length of the text without the NUL; may be NULL. It is larger than strlen(out)
 *                  if the string contains an escaped NUL.
 * @retval IOTHUB_ERR_JSON      string is not a JSON string
 * @retval IOTHUB_ERR_NO_SPACE  cap is too small
 */
iothub_result iothub_json_get_string(mqc_span string, char *out, size_t cap, size_t *len);

/**
 * Reads a whole number, however it is written: 20, 20.0 and 2e1 are the same.
 *
 * @param number    a value of a reader
 * @param[out] out  the number; unchanged if the function fails
 * @retval IOTHUB_ERR_JSON     not a number, or one with a fraction
 * @retval IOTHUB_ERR_TOO_BIG  below -2^63 or above 2^63 - 1
 */
iothub_result iothub_json_get_int(mqc_span number, int64_t *out);

/**
 * Reads a number as the double that is closest to it. A number with more than 19 significant digits
 * may be read as the neighbour of the closest one.
 *
 * @param number    a value of a reader
 * @param[out] out  the number; unchanged if the function fails. A number that is too close to zero
 *                  becomes 0.
 * @retval IOTHUB_ERR_JSON     not a number
 * @retval IOTHUB_ERR_TOO_BIG  beyond the largest double
 */
iothub_result iothub_json_get_double(mqc_span number, double *out);

/**
 * Reads true or false.
 *
 * @param value     a value of a reader
 * @param[out] out  the value; unchanged if the function fails
 * @retval IOTHUB_ERR_JSON  neither true nor false
 */
iothub_result iothub_json_get_bool(mqc_span value, bool *out);

#ifdef __cplusplus
}
#endif
#endif
