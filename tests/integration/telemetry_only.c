/* A device that sends one message and uses nothing else; check_links.py looks at what is linked. */

#include <stdlib.h>

#include <iothub/client.h>

int main(void)
{
    const char *connection_string = getenv("IOTHUB_DEVICE_CONNECTION_STRING");
    const iothub_telemetry hello = { .body = "hello", .body_len = 5 };
    iothub_options options;
    iothub_error error;
    iothub_stats stats = { 0 };

    iothub_options_init(&options);
    options.platform = plat_posix();
    iothub_client *c =
        iothub_new(connection_string != NULL ? connection_string : "", &options, &error);
    if (c == NULL || iothub_start(c) != IOTHUB_OK ||
        iothub_send_telemetry(c, &hello, NULL) != IOTHUB_OK) {
        iothub_free(c);
        return EXIT_FAILURE;
    }
    while (stats.telemetry_acknowledged == 0) {
        iothub_wait(c, 1000);
        iothub_get_stats(c, &stats);
    }
    iothub_free(c);
    return EXIT_SUCCESS;
}
