#include "mqtt_core/result.h"

const char *mqc_result_str(mqc_result r)
{
    switch (r) { /* no default: -Wswitch finds the code somebody forgot */
    case MQC_OK: return "ok";
    case MQC_ERR_ARG: return "invalid argument";
    case MQC_ERR_STATE: return "not allowed in this state";
    case MQC_ERR_NO_SPACE: return "no space";
    case MQC_ERR_TOO_BIG: return "too big";
    case MQC_ERR_MALFORMED: return "malformed packet";
    case MQC_ERR_PROTOCOL: return "protocol violation";
    case MQC_ERR_TIMEOUT: return "timed out";
    case MQC_ERR_REFUSED: return "connection refused by the server";
    }
    return "unknown result";
}
