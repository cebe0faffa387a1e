#include "service/service.h"

#include "command/commands.h"
#include "service/service_c2d.h"
#include "service/service_call.h"
#include "service/service_method.h"
#include "service/service_monitor.h"
#include "service/service_twin.h"

int run_service(int argc, char **argv, void *context)
{
    static const command commands[] = {
        { "twin", "Read a device twin, or change its desired properties", run_service_twin },
        { "method", "Call a direct method and print the answer", run_service_method },
        { "c2d", "Send a message to a device (emulator only)", run_service_c2d },
        { "monitor", "Print telemetry as it arrives (emulator only)", run_service_monitor },
    };
    static const command_group group = {
        .doc = "Do what a back end does with devices, over the REST interface of the hub.",
        .end = "IOTHUB_CONNECTION_STRING names the hub and the policy:\n"
               "  HostName=..;SharedAccessKeyName=service;SharedAccessKey=..\n"
               "If IOTHUB_CA_FILE is set, only the root certificates in this PEM file are trusted; "
               "the emulator has a root of its own.",
        .commands = commands,
        .count = sizeof commands / sizeof commands[0],
        .children = service_children,
    };
    service_options o;

    (void)context;
    if (!service_options_default(&o)) {
        return CLI_EXIT_USAGE;
    }
    return run_group(&group, argc, argv, &o);
}
