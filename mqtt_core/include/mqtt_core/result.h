#ifndef MQC_RESULT_H
#define MQC_RESULT_H

/**
 * @file
 * Result codes of mqtt_core.
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every function of mqtt_core that can fail returns one of these codes: zero for success, a
 * negative code for a failure.  Sizes and handles are never returned in the same value.
 *
 * A code keeps its number in every later version.
 */
typedef enum mqc_result {
    MQC_OK = 0, /**< Success. */

    /* The call was refused; the engine is unchanged and can be used further. */
    MQC_ERR_ARG = -1,   /**< An argument is outside its documented range. */
    MQC_ERR_STATE = -2, /**< The call is not allowed in the current state. */
    MQC_ERR_NO_SPACE =
        -3, /**< There is no room now; call again after bytes were sent or received. */
    MQC_ERR_TOO_BIG = -4, /**< The data can never fit; calling again does not help. */

    /* The connection has ended; only mqc_reset leaves this condition. */
    MQC_ERR_MALFORMED = -20, /**< The peer broke the encoding rules of MQTT 3.1.1. */
    MQC_ERR_PROTOCOL = -21,  /**< The peer sent a well-formed packet that is not allowed here. */
    MQC_ERR_TIMEOUT = -22, /**< CONNACK, PINGRESP, an answer that is owed, or any other sign of life
                                did not arrive in time. */
    MQC_ERR_REFUSED = -23, /**< The server refused the connection with a code in CONNACK. */
    MQC_ERR_STALLED = -24  /**< Nothing could be read for stall_timeout_ms. */
} mqc_result;

/**
 * Returns an English text for logs.
 *
 * @param r  any number
 * @return   a static text; never NULL, also for unknown numbers
 */
const char *mqc_result_str(mqc_result r);

/**
 * Returns whether a result means that the connection has ended.
 *
 * @param r  the result
 * @return   non-zero when the connection has ended
 */
static inline int mqc_is_fatal(mqc_result r)
{
    return r <= MQC_ERR_MALFORMED;
}

#ifdef __cplusplus
}
#endif
#endif
