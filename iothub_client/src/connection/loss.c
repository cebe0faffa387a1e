#include "connection/loss.h"

#include <string.h>

#include "context/result_map.h"
#include "text/text_writer.h"

/* The hub gives the same return code for an unknown certificate and for an unknown device. */
static const char *refused_certificate(uint8_t return_code)
{
    switch (return_code) {
    case 4: return "CONNACK 4: the hub refused the user name, or there was no client certificate";
    case 5:
        return "CONNACK 5: not authorized: register the certificate's thumbprint for this device, "
               "or its CA at the hub";
    default: return NULL;
    }
}

iothub_result loss_by_refusal(uint8_t return_code, iothub_credential_kind kind, iothub_error *why)
{
    static const struct {
        iothub_result reason;
        const char *text;
    } codes[] = {
        /* The return codes of MQTT 3.1.1, table 3.1. */
        [0] = { IOTHUB_ERR_PROTOCOL, "CONNACK with an unknown code" },
        [1] = { IOTHUB_ERR_PROTOCOL, "CONNACK 1: the hub does not speak MQTT 3.1.1" },
        [2] = { IOTHUB_ERR_AUTH, "CONNACK 2: the hub refused the client id (device id)" },
        [3] = { IOTHUB_ERR_UNAVAILABLE, "CONNACK 3: the hub is unavailable" },
        [4] = { IOTHUB_ERR_AUTH, "CONNACK 4: the hub refused the user name or token" },
        [5] = { IOTHUB_ERR_AUTH, "CONNACK 5: not authorized: key, token, clock or device id" },
    };
    size_t code = return_code < sizeof codes / sizeof codes[0] ? return_code : 0;

    const char *text = kind == IOTHUB_CREDENTIAL_X509 ? refused_certificate(return_code) : NULL;

    return iothub_fail(why, codes[code].reason, "%s", text != NULL ? text : codes[code].text);
}

iothub_result loss_by_eviction(iothub_error *why)
{
    return iothub_fail(why, IOTHUB_ERR_NETWORK,
                       "the hub closed the connection soon after login, again: does another "
                       "client use this identity, or does the hub refuse a message?");
}

bool loss_is_of_acknowledgement(mqc_result r, const char *packet)
{
    size_t len = strlen(packet);

    return r == MQC_ERR_TIMEOUT && len > 3 && packet[0] != 'C' &&
           strcmp(packet + len - 3, "ACK") == 0;
}

iothub_result loss_by_engine(mqc_result r, const char *packet, bool deferred, iothub_error *why)
{
    const char *joint = r == MQC_ERR_TIMEOUT ? " waiting for " : " in ";

    if (r == MQC_ERR_STALLED) {
        return iothub_fail(
            why, iothub_from_mqc(r), "%s",
            deferred ? "reading was blocked too long: deferred messages were not accepted"
                     : "reading was blocked too long: acknowledgements could not be sent");
    }
    return iothub_fail(why, iothub_from_mqc(r), "MQTT: %s%s%s", mqc_result_str(r),
                       packet[0] != '\0' ? joint : "", packet);
}
