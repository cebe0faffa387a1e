#ifndef IOTHUB_PNP_H
#define IOTHUB_PNP_H

/**
 * @file
 * The conventions of IoT Plug and Play: how a device that implements a model writes and reads
 * telemetry, properties and commands. Source: "IoT Plug and Play conventions" of the vendor's
 * documentation.
 *
 * A device announces its model with iothub_options.model_id. The model may have components, such as
 * two thermostats; what belongs to no component belongs to the root of the model.
 *
 * - Telemetry of a component carries its name: iothub_telemetry.component, iothub_pnp_telemetry.
 * - Properties of a component are members of an object that is marked with "__t":"c":
 *   iothub_pnp_put_component.
 * - A writable property is answered with its value, a status and the version of the desired
 *   properties: iothub_pnp_put_ack.
 * - Desired properties are read with iothub_pnp_next.
 * - A command of a component is a direct method named component*command: iothub_pnp_is_command.
 *
 * These functions use no heap and no client: they read spans of the application and write into
 * buffers of the application, which then passes the text to iothub_twin_report. A program that does
 * not call them does not link them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iothub/client.h"
#include "iothub/json.h"
#include "iothub/json_writer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @name Telemetry
 * @{ */

/**
 * Makes a telemetry message of a JSON text. The application may set further fields before it passes
 * the message to iothub_send_telemetry.
 *
 * @param component  name of the component; NULL: the root of the model. It must stay valid until
 *                   the message was passed on.
 * @param json       the body; it must stay valid as long
 * @param len        its length in bytes
 * @return a message with content type and encoding
 */
static inline iothub_telemetry iothub_pnp_telemetry(const char *component, const char *json,
                                                    size_t len)
{
    iothub_telemetry t;

    memset(&t, 0, sizeof t);
    t.body = json;
    t.body_len = len;
    t.content_type = "application/json";
    t.content_encoding = "utf-8";
    t.component = component;
    return t;
}

/** @} */
/** @name Reported properties
 * @{ */

/**
 * Begins the properties of a component. The application writes them with the functions of
 * iothub/json_writer.h, and then calls iothub_json_put_end.
 *
 * @param w          the writer, inside the outermost object of a report
 * @param component  name of the component; NULL after iothub_json_put_name
 */
void iothub_pnp_put_component(iothub_json_writer *w, const char *component);

/** The status in the answer to a writable property. Any other HTTP status code may be used, too. */
typedef enum iothub_pnp_status {
    IOTHUB_PNP_COMPLETED = 200,   /**< The device uses the desired value. */
    IOTHUB_PNP_IN_PROGRESS = 202, /**< The device has accepted the desired value and is applying it;
                                       an answer with another status follows. */
    /** The device has set the value itself, and no desired value exists. The version of such an
     * answer is 0. */
    IOTHUB_PNP_DEVICE_VALUE = 203,
    IOTHUB_PNP_BAD_VALUE = 400, /**< The desired value was refused. */
    IOTHUB_PNP_NOT_FOUND = 404, /**< There is no such property or command. */
    IOTHUB_PNP_FAILED = 500     /**< Applying the desired value failed. */
} iothub_pnp_status;

/**
 * Begins the answer to a writable property and writes all of it but the value. The application then
 * writes the value that the device uses, with the name IOTHUB_PNP_VALUE, and calls
 * iothub_json_put_end:
 *
 * @code
 * iothub_pnp_put_ack(&w, "targetTemperature", IOTHUB_PNP_COMPLETED, desired->version, NULL);
 * iothub_json_put_double(&w, IOTHUB_PNP_VALUE, 21.5, 2);
 * iothub_json_put_end(&w);
 * @endcode
 *
 * @param w            the writer, inside the outermost object of a report or inside a component
 * @param property     name of the property; NULL after iothub_json_put_name
 * @param status       iothub_pnp_status, or another HTTP status code ("ac")
 * @param version      iothub_desired.version of the desired value; 0 with IOTHUB_PNP_DEVICE_VALUE
 *                     ("av")
 * @param description  a text for people ("ad"); NULL: none, which deletes that of an earlier answer
 */
void iothub_pnp_put_ack(iothub_json_writer *w, const char *property, int status, uint64_t version,
                        const char *description);

/** Name of the value in the answer to a writable property. */
#define IOTHUB_PNP_VALUE "value"

/** @} */
/** @name Desired properties
 * @{ */

/**
 * A walk through desired properties, component by component and property by property.
 *
 * @code
 * static const char *const components[] = { "thermostat1", "thermostat2" };
 * iothub_pnp_walk p;
 * iothub_pnp_walk_init(&p, desired->json, components, 2);
 * while (iothub_pnp_next(&p)) {
 *     if (iothub_json_equals(p.component, "thermostat1") &&
 *         iothub_json_equals(p.name, "targetTemperature")) {
 *         ... p.kind and p.value ...
 *     }
 * }
 * @endcode
 *
 * The complete document and a patch are read in the same way. A property that a patch does not
 * contain is unchanged; a property that the complete document does not contain does not exist. In a
 * patch, a value of null (IOTHUB_JSON_NULL) means that the property was removed.
 */
typedef struct iothub_pnp_walk {
    /** The component that the property belongs to, as a JSON string; see iothub_json_equals. Empty:
     * it belongs to the root of the model. */
    mqc_span component;
    /** Name of the property, as a JSON string. Empty: all properties of the component were removed;
     * kind is IOTHUB_JSON_NULL then. */
    mqc_span name;
    iothub_json_kind kind; /**< Kind of the value. */
    mqc_span value;        /**< The whole value as it is written, also of an object or array. */
    /** After iothub_pnp_next has returned false: IOTHUB_OK, or IOTHUB_ERR_JSON if the text is not a
     * JSON object. Desired properties from the client are always one. */
    iothub_result result;

    iothub_json_reader reader;     /**< Private. */
    const char *const *components; /**< Private. */
    size_t component_count;        /**< Private. */
} iothub_pnp_walk;

/**
 * Begins a walk.
 *
 * An object is a component if its name is one of `components`, or if it has the member "__t":"c". A
 * patch from the hub does not always contain that mark, so a device with components should pass
 * their names. A device without components passes NULL and 0.
 *
 * @param[out] p      the walk
 * @param properties  iothub_desired.json; also the reported properties, iothub_desired.reported. It
 *                    must stay unchanged during the walk.
 * @param components  names of the model's components, UTF-8, NUL-terminated; they must stay valid
 *                    during the walk. NULL if count is 0.
 * @param count       number of these names
 */
void iothub_pnp_walk_init(iothub_pnp_walk *p, mqc_span properties, const char *const *components,
                          size_t count);

/**
 * Reads the next property. The mark of a component, and members whose names begin with "$", such as
 * "$version", are no properties and are left out; iothub_desired.version is the version to answer
 * with.
 *
 * @param p  the walk
 * @return true if there is one more property, which p then describes; false at the end and at a
 *         fault, with p->result
 */
bool iothub_pnp_next(iothub_pnp_walk *p);

/** @} */
/** @name Commands
 * @{ */

/** The two parts of a command's name. */
typedef struct iothub_pnp_command {
    mqc_span component; /**< Name of the component; empty: the root of the model. */
    mqc_span name;      /**< Name of the command. */
} iothub_pnp_command;

/**
 * Splits the name of a direct method into component and command.
 *
 * @param method  iothub_method_call.name
 * @return the parts, which are spans of method
 */
iothub_pnp_command iothub_pnp_command_of(mqc_span method);

/**
 * Returns whether a direct method is a certain command.
 *
 * @param method     iothub_method_call.name
 * @param component  name of the component; NULL: the root of the model
 * @param command    name of the command
 * @return true if both names are equal
 */
bool iothub_pnp_is_command(mqc_span method, const char *component, const char *command);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
