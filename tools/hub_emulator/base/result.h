#ifndef HUB_RESULT_H
#define HUB_RESULT_H

/** Results: zero, or one of the error codes of the real hub. */
typedef enum hub_result {
    HUB_OK = 0,
    HUB_ERR_ARGUMENT = -1,       /* 400 ArgumentInvalid */
    HUB_ERR_UNAUTHORIZED = -2,   /* 401 IotHubUnauthorizedAccess */
    HUB_ERR_QUEUE_FULL = -3,     /* 403 DeviceMaximumQueueDepthExceeded */
    HUB_ERR_NO_DEVICE = -4,      /* 404 DeviceNotFound */
    HUB_ERR_NO_MODULE = -5,      /* 404 ModuleNotFound */
    HUB_ERR_NOT_ONLINE = -6,     /* 404 DeviceNotOnline */
    HUB_ERR_NO_RESOURCE = -7,    /* 404 ResourceNotFound */
    HUB_ERR_METHOD = -8,         /* 405 MethodNotAllowed */
    HUB_ERR_EXISTS = -9,         /* 409 DeviceAlreadyExists */
    HUB_ERR_ETAG = -10,          /* 412 PreconditionFailed */
    HUB_ERR_TOO_LARGE = -11,     /* 413 RequestEntityTooLarge */
    HUB_ERR_VERSION = -12,       /* 400 InvalidProtocolVersion */
    HUB_ERR_STATE = -13,         /* 500 ServerError: the state directory cannot be written */
    HUB_ERR_TIMEOUT = -14,       /* 504 GatewayTimeout */
    HUB_ERR_SCOPE = -15,         /* 400 InvalidDeviceScope */
    HUB_ERR_TWICE = -16,         /* 400 DeviceDefinedMultipleTimes */
    HUB_ERR_MODULE_EXISTS = -17, /* 409 ModuleAlreadyExistsOnDevice */
    HUB_ERR_LOCK = -19,          /* 412 DeviceMessageLockLost */
    HUB_ERR_UPLOADS = -18        /* 403 DeviceMaximumActiveFileUploadLimitExceeded */
} hub_result;

/** Return the HTTP status, and the name that the vendor's service API uses for it. */
int hub_result_status(hub_result r);
const char *hub_result_name(hub_result r);

/** A result with a text of one line for people, which never contains a key or a token. */
typedef struct hub_fault {
    hub_result code;
    char text[240];
} hub_fault;

/**
 * Fills *f and returns the code, so that a refusal is one statement. Control characters become '?',
 * and in text that is not UTF-8 all bytes that are not ASCII.
 */
hub_result hub_fail(hub_fault *f, hub_result code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
