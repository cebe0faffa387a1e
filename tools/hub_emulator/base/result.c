#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int hub_result_status(hub_result r)
{
    switch (r) {
    case HUB_OK: return 200;
    case HUB_ERR_ARGUMENT:
    case HUB_ERR_VERSION:
    case HUB_ERR_SCOPE:
    case HUB_ERR_TWICE: return 400;
    case HUB_ERR_UNAUTHORIZED: return 401;
    case HUB_ERR_QUEUE_FULL:
    case HUB_ERR_UPLOADS: return 403;
    case HUB_ERR_NO_DEVICE:
    case HUB_ERR_NO_MODULE:
    case HUB_ERR_NOT_ONLINE:
    case HUB_ERR_NO_RESOURCE: return 404;
    case HUB_ERR_METHOD: return 405;
    case HUB_ERR_EXISTS:
    case HUB_ERR_MODULE_EXISTS: return 409;
    case HUB_ERR_ETAG:
    case HUB_ERR_LOCK: return 412;
    case HUB_ERR_TOO_LARGE: return 413;
    case HUB_ERR_STATE: return 500;
    case HUB_ERR_TIMEOUT: return 504;
    }
    return 500;
}

const char *hub_result_name(hub_result r)
{
    switch (r) {
    case HUB_OK: return "Ok";
    case HUB_ERR_ARGUMENT: return "ArgumentInvalid";
    case HUB_ERR_UNAUTHORIZED: return "IotHubUnauthorizedAccess";
    case HUB_ERR_QUEUE_FULL: return "DeviceMaximumQueueDepthExceeded";
    case HUB_ERR_NO_DEVICE: return "DeviceNotFound";
    case HUB_ERR_NO_MODULE: return "ModuleNotFound";
    case HUB_ERR_NOT_ONLINE: return "DeviceNotOnline";
    case HUB_ERR_NO_RESOURCE: return "ResourceNotFound";
    case HUB_ERR_METHOD: return "MethodNotAllowed";
    case HUB_ERR_EXISTS: return "DeviceAlreadyExists";
    case HUB_ERR_ETAG: return "PreconditionFailed";
    case HUB_ERR_LOCK: return "DeviceMessageLockLost";
    case HUB_ERR_TOO_LARGE: return "RequestEntityTooLarge";
    case HUB_ERR_VERSION: return "InvalidProtocolVersion";
    case HUB_ERR_STATE: return "ServerError";
    case HUB_ERR_TIMEOUT: return "GatewayTimeout";
    case HUB_ERR_SCOPE: return "InvalidDeviceScope";
    case HUB_ERR_TWICE: return "DeviceDefinedMultipleTimes";
    case HUB_ERR_MODULE_EXISTS: return "ModuleAlreadyExistsOnDevice";
    case HUB_ERR_UPLOADS: return "DeviceMaximumActiveFileUploadLimitExceeded";
    }
    return "ServerError";
}

/* Replaces control and invalid characters, since the text may quote input from outside, cut at
 * any byte, and is written into JSON and into a log. */
static void make_plain(char *text)
{
    bool utf8 = hub_utf8_valid(text, strlen(text));

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == 0x7F || (c > 0x7F && !utf8)) {
            *text = '?';
        }
    }
}

hub_result hub_fail(hub_fault *f, hub_result code, const char *format, ...)
{
    va_list args;

    f->code = code;
    va_start(args, format);
    (void)vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    make_plain(f->text);
    return code;
}
