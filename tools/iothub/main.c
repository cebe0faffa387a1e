/* The program iothub: makes tokens for an IoT Hub and acts as its service side, from the command
 * line. */

#include <stdlib.h>

#include "command/commands.h"
#include "fleet/fleet.h"
#include "iothub/version.h"
#include "sas/derive_key.h"
#include "sas/sas_token.h"
#include "service/service.h"

const char *argp_program_version = "iothub " IOTHUB_VERSION_STRING;

int main(int argc, char **argv)
{
    static const command commands[] = {
        { "sas-token", "Make a SAS token (shared access signature), or explain one",
          run_sas_token },
        { "derive-key", "Derive the keys of devices from the key of an enrolment group",
          run_derive_key },
        { "service", "Act as the back end of devices: twins, methods, messages", run_service },
        { "fleet", "Simulate many devices, to load a hub", run_fleet },
    };
    static const command_group group = {
        .doc = "Tools for Azure IoT Hub and for the hub emulator.",
        .end = "Results are written to standard output, everything else to standard error.  The "
               "exit status is 0 for success, 1 for a failure and 2 for wrong usage.",
        .commands = commands,
        .count = sizeof commands / sizeof commands[0],
    };
    static char name[] = "iothub";

    cli_begin();
    cli_set_name(name);
    if (argc > 0) {
        argv[0] = name;
    }
    return run_group(&group, argc, argv, NULL);
}
