#include "dps/dps_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/json.h"

bool dps_fail(dps_error *e, int code, const char *format, ...)
{
    hub_fault plain; /* removes control characters from the text */
    char text[sizeof e->text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)hub_fail(&plain, HUB_ERR_ARGUMENT, "%s", text);
    e->code = code;
    (void)snprintf(e->text, sizeof e->text, "%s", plain.text);
    return false;
}

bool dps_fail_by(dps_error *e, const hub_fault *fault)
{
    static const struct {
        hub_result result;
        int code; /* a dps_code */
    } codes[] = {
        { HUB_ERR_NO_RESOURCE, DPS_CODE_NO_RESOURCE },
        { HUB_ERR_METHOD, DPS_CODE_METHOD },
        { HUB_ERR_UNAUTHORIZED, DPS_CODE_KEY },
        { HUB_ERR_EXISTS, DPS_CODE_EXISTS },
        { HUB_ERR_ETAG, DPS_CODE_ETAG },
        { HUB_ERR_TOO_LARGE, DPS_CODE_TOO_LARGE },
        { HUB_ERR_STATE, DPS_CODE_SERVER },
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].result == fault->code) {
            return dps_fail(e, (int)codes[i].code, "%s", fault->text);
        }
    }
    return dps_fail(e, DPS_CODE_ARGUMENT, "%s", fault->text);
}

int dps_error_status(const dps_error *e)
{
    return e->code / 1000;
}

char *dps_error_text(const dps_error *e, int64_t now_ms)
{
    cJSON *json = cJSON_CreateObject();
    char *tracking = dps_uuid();

    (void)cJSON_AddNumberToObject(json, "errorCode", e->code);
    hub_json_add_text(json, "trackingId", tracking);
    hub_json_add_text(json, "message", e->text);
    hub_json_add_time(json, "timestampUtc", now_ms);
    char *text = hub_json_print(json);
    cJSON_Delete(json);
    free(tracking);
    return text;
}

char *dps_uuid(void)
{
    uint8_t b[16];

    hub_random(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* version 4 (random) */
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80); /* the variant of RFC 4122 */
    return hub_format("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                      b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                      b[13], b[14], b[15]);
}
