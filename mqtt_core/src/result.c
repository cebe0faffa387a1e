#include "mqtt_core/result.h"

#include "packet.h"

/* The names for people are stored without a table of pointers. */

/* Returns the n-th text, or the empty text after the last one. clang's analyzer does not know
 * that text and reports a read past the end. */
static const char *text_at(const char *texts, unsigned n)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    while (n > 0 && *texts != '\0') {
        texts += strlen(texts) + 1;
        n--;
    }
    return texts;
}

const char *mqc_result_str(mqc_result r)
{
    static const char usable[] = "ok\0invalid argument\0wrong state\0no space\0too big\0";
    static const char fatal[] = "malformed packet\0protocol violation\0timed out\0"
                                "refused by the server\0reading stalled\0";

    const char *text = mqc_is_fatal(r) ? text_at(fatal, (unsigned)(MQC_ERR_MALFORMED - r))
                                       : text_at(usable, (unsigned)(MQC_OK - r));
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    return *text != '\0' ? text : "unknown result";
}

const char *mqc_packet_name(unsigned type)
{
    static const char names[] = "CONNECT\0CONNACK\0PUBLISH\0PUBACK\0PUBREC\0PUBREL\0PUBCOMP\0"
                                "SUBSCRIBE\0SUBACK\0UNSUBSCRIBE\0UNSUBACK\0PINGREQ\0PINGRESP\0"
                                "DISCONNECT\0";

    /* Type 0 does not exist; type - 1 then wraps around to a large number. */
    return text_at(names, type - 1);
}
