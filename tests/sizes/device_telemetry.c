/* A device in static memory that sends telemetry and uses nothing else. */

#include <iothub/client.h>

#include "network.h"

int main(void)
{
    static unsigned char memory[16384];
    const iothub_telemetry hello = { .body = "hello", .body_len = 5 };
    iothub_options options;

    iothub_options_init(&options);
    options.platform = &no_platform;
    iothub_client *c = iothub_init(memory, sizeof memory,
                                   "HostName=hub.example;DeviceId=device;SharedAccessKey=c2VjcmV0",
                                   &options, NULL);
    (void)iothub_start(c);
    (void)iothub_send_telemetry(c, &hello, NULL);
    for (;;) {
        (void)iothub_wait(c, 1000);
    }
}
