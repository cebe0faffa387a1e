#include "iothub/options.h"

#include <string.h>

void iothub_options_init_sized(iothub_options *o, size_t struct_size)
{
    const iothub_options defaults = {
        .struct_size = struct_size,
        .port = 8883,
        .keep_alive_s = 240,
        .window = 16,
        .sas_lifetime_s = 3600,
        .overlap = true,
        .resolve_timeout_ms = 15000,
        .connect_timeout_ms = 15000,
        .tls_timeout_ms = 15000,
        .login_timeout_ms = 30000,
        .subscribe_timeout_ms = 30000,
        .request_timeout_ms = 60000,
        .ack_timeout_ms = 120000,
        .stall_timeout_ms = 120000,
        .retry_min_ms = 1000,
        .retry_max_ms = 60000,
        .auth_retry_min_ms = 300000,
        .auth_retry_max_ms = 3600000,
        .log_level = IOTHUB_LOG_INFO,
    };
    size_t n = struct_size < sizeof defaults ? struct_size : sizeof defaults;

    memset(o, 0, struct_size);
    memcpy(o, &defaults, n);
}
