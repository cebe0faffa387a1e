#ifndef IOTHUB_JSON_WRITER_H
#define IOTHUB_JSON_WRITER_H

/**
 * @file
 * A writer for JSON texts, such as reported properties, telemetry and answers to method calls.
 *
 * The writer puts a text into a buffer of the application, without heap. It sets commas and quotes
 * itself and escapes strings, so that the text is always valid JSON. Nothing has to be checked
 * between the calls: after the first failure the writer writes no more, and
 * iothub_json_writer_finish returns that failure.
 *
 * @code
 * char buf[200];
 * iothub_json_writer w;
 * iothub_json_writer_init(&w, buf, sizeof buf);
 * iothub_json_put_object(&w, NULL);
 * iothub_json_put_double(&w, "temperature", 21.5, 2);
 * iothub_json_put_array(&w, "colours");
 * iothub_json_put_string(&w, NULL, "red");
 * iothub_json_put_end(&w);
 * iothub_json_put_end(&w);
 * if (iothub_json_writer_finish(&w) == IOTHUB_OK) {
 *     iothub_twin_report(c, buf, w.len, NULL, NULL); // {"temperature":21.50,"colours":["red"]}
 * }
 * @endcode
 *
 * The parameter `name` of the functions is the name of a member: UTF-8, NUL-terminated, inside an
 * object. It is NULL inside an array, for the outermost value, and after iothub_json_put_name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/json.h"
#include "iothub/result.h"
#include "mqtt_core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a writer expects next. For the writer only. */
typedef enum iothub_json_writer_state {
    IOTHUB_JSON_WRITER_VALUE = 0, /**< A value without a name. */
    IOTHUB_JSON_WRITER_FIRST,     /**< The first member, or an end. */
    IOTHUB_JSON_WRITER_NEXT,      /**< A comma and a member, or an end. */
    IOTHUB_JSON_WRITER_DONE       /**< The outermost value is complete. */
} iothub_json_writer_state;

/** A JSON text that is being written. iothub_json_writer_init fills it. */
typedef struct iothub_json_writer {
    char *buf;  /**< The text written so far. */
    size_t len; /**< Length of the text in bytes. */
    /**
     * IOTHUB_OK, or the first failure:
     * IOTHUB_ERR_NO_SPACE: the text does not fit the buffer.
     * IOTHUB_ERR_STATE: a name is missing or not allowed here, there is nothing to end, the text is
     * complete already, or more than IOTHUB_JSON_DEPTH objects and arrays are open.
     * IOTHUB_ERR_ARG: a text is not UTF-8, or a number cannot be written.
     * IOTHUB_ERR_JSON: a text that was passed as JSON is not JSON.
     */
    iothub_result result;

    size_t cap;                     /**< Private. */
    iothub_json_writer_state state; /**< Private. */
    uint32_t braces;                /**< Private. */
    unsigned open;                  /**< Private. */
} iothub_json_writer;

/**
 * Begins a text.
 *
 * @param[out] w  the writer
 * @param buf     where the text is written, with a NUL at its end
 * @param cap     size of buf in bytes, with room for the NUL
 */
void iothub_json_writer_init(iothub_json_writer *w, char *buf, size_t cap);

/**
 * Begins an object. Its members follow, then iothub_json_put_end.
 *
 * @param w     the writer
 * @param name  name of the member, or NULL
 */
void iothub_json_put_object(iothub_json_writer *w, const char *name);

/**
 * Begins an array. Its elements follow, then iothub_json_put_end.
 *
 * @param w     the writer
 * @param name  name of the member, or NULL
 */
void iothub_json_put_array(iothub_json_writer *w, const char *name);

/**
 * Ends the innermost object or array.
 *
 * @param w  the writer
 */
void iothub_json_put_end(iothub_json_writer *w);

/**
 * Writes a string. What JSON does not allow in a string is escaped.
 *
 * @param w     the writer
 * @param name  name of the member, or NULL
 * @param text  UTF-8; it may contain any character, even a NUL
 */
void iothub_json_put_text(iothub_json_writer *w, const char *name, mqc_span text);

/**
 * iothub_json_put_text for a C string.
 *
 * @param w     the writer
 * @param name  name of the member, or NULL
 * @param text  UTF-8, NUL-terminated
 */
static inline void iothub_json_put_string(iothub_json_writer *w, const char *name, const char *text)
{
    iothub_json_put_text(w, name, mqc_span_str(text));
}

/**
 * Writes a whole number.
 *
 * @param w      the writer
 * @param name   name of the member, or NULL
 * @param value  the number
 */
void iothub_json_put_int(iothub_json_writer *w, const char *name, int64_t value);

/**
 * Writes a whole number without a sign.
 *
 * @param w      the writer
 * @param name   name of the member, or NULL
 * @param value  the number
 */
void iothub_json_put_uint(iothub_json_writer *w, const char *name, uint64_t value);

/**
 * Writes a number with a fixed number of decimals, rounded as printf rounds.
 *
 * @param w         the writer
 * @param name      name of the member, or NULL
 * @param value     the number: finite, between -2^64 and 2^64
 * @param decimals  digits behind the decimal point, 0 to 9
 */
void iothub_json_put_double(iothub_json_writer *w, const char *name, double value,
                            unsigned decimals);

/**
 * Writes true or false.
 *
 * @param w      the writer
 * @param name   name of the member, or NULL
 * @param value  the value
 */
void iothub_json_put_bool(iothub_json_writer *w, const char *name, bool value);

/**
 * Writes null, which deletes a reported property.
 *
 * @param w     the writer
 * @param name  name of the member, or NULL
 */
void iothub_json_put_null(iothub_json_writer *w, const char *name);

/**
 * Writes a value that is JSON already, such as iothub_json_reader.value of a whole item.
 *
 * @param w     the writer
 * @param name  name of the member, or NULL
 * @param json  one JSON value
 */
void iothub_json_put_raw(iothub_json_writer *w, const char *name, mqc_span json);

/**
 * Writes a name that is a JSON string already, such as iothub_json_reader.name. The next call
 * writes its value and passes NULL as the name.
 *
 * @param w       the writer, inside an object
 * @param string  the name with its quotes and escapes
 */
void iothub_json_put_name(iothub_json_writer *w, mqc_span string);

/**
 * Ends the text and writes the NUL.
 *
 * @param w  the writer; w->buf and w->len are the text
 * @retval IOTHUB_ERR_STATE  an object or array is still open, or nothing was written
 * @return otherwise w->result; after a failure the text is empty
 */
iothub_result iothub_json_writer_finish(iothub_json_writer *w);

#ifdef __cplusplus
}
#endif
#endif
