#include "network.h"

#include <stdlib.h>
#include <string.h>

#include <cli/args.h>
#include <cli/output.h>

const char sample_network_help[] =
    "  IOTHUB_TRANSPORT                 mqtt, ws for WebSocket on port 443, or auto\n"
    "  IOTHUB_PROXY                     URL of a proxy, or \"environment\"\n"
    "  IOTHUB_BIND                      interface or address to bind to\n";

/* Returns the platform with all that this build has. A program that needs no client certificates,
 * WebSockets or proxies uses plat_posix() as it is. */
static const plat_platform *make_platform(void)
{
    static plat_platform platform;

    platform = *plat_posix();
    platform.identities = plat_posix_identities();
#ifdef SAMPLE_WITH_WEBSOCKET
    platform.websockets = plat_wslay();
#endif
#ifdef SAMPLE_WITH_CURL
    platform.tunnels = plat_curl_tunnels();
#endif
    return &platform;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

void sample_network(iothub_options *options)
{
    const char *transport = variable("IOTHUB_TRANSPORT");

    options->platform = make_platform();
    options->proxy = variable("IOTHUB_PROXY");
    options->bind = variable("IOTHUB_BIND");
    if (transport == NULL || strcmp(transport, "mqtt") == 0) {
        options->transport = IOTHUB_MQTT;
    } else if (strcmp(transport, "ws") == 0) {
        options->transport = IOTHUB_MQTT_WS;
    } else if (strcmp(transport, "auto") == 0) {
        options->transport = IOTHUB_AUTO;
    } else {
        (void)cli_error("IOTHUB_TRANSPORT is not mqtt, ws or auto");
        exit(CLI_EXIT_USAGE);
    }
}
