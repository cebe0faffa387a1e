#ifndef MQC_RESULT_H
#define MQC_RESULT_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every fallible mqtt_core function returns one of these.
 * Zero is success, negative is failure; sizes and handles never share this
 * channel.  Values are part of the ABI: append, never renumber.
 */
typedef enum mqc_result {
    MQC_OK = 0,

    /* The call was refused; the engine is unchanged and still usable. */
    MQC_ERR_ARG = -1,      /* an argument is outside its documented range */
    MQC_ERR_STATE = -2,    /* not allowed in the current state */
    MQC_ERR_NO_SPACE = -3, /* no room now; process, then try again */
    MQC_ERR_TOO_BIG = -4,  /* can never fit; do not retry */

    /* The connection is over; only mqc_reset() leaves this condition. */
    MQC_ERR_MALFORMED = -20, /* the peer broke the MQTT 3.1.1 encoding rules */
    MQC_ERR_PROTOCOL = -21,  /* a well-formed packet that is not allowed here */
    MQC_ERR_TIMEOUT = -22,   /* no CONNACK, PINGRESP, other sign of life, or owed answer in time */
    MQC_ERR_REFUSED = -23,   /* CONNACK with a refusal code */
    MQC_ERR_STALLED = -24    /* nothing could be read for stall_timeout_ms */
} mqc_result;

/** Static English text for logs.  Never NULL, also for unknown values. */
const char *mqc_result_str(mqc_result r);

/** True when the connection is over. */
static inline int mqc_is_fatal(mqc_result r)
{
    return r <= MQC_ERR_MALFORMED;
}

#ifdef __cplusplus
}
#endif
#endif
