#ifndef HUB_OPTIONS_H
#define HUB_OPTIONS_H

/** @file  The command line of hub_emulator. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/device_certificates.h"
#include "launcher/key_pair.h"
#include "launcher/ports.h"

typedef struct hub_options {
    uint16_t port;
    uint16_t https_port;
    int amqp_port; /* -1: not given */
    hub_addresses listen;
    const char *host; /* name of the hub for clients; never NULL */
    bool host_given;
    const char *state;     /* state directory; NULL: a private one */
    const char *mosquitto; /* broker program; NULL: the usual directories are searched */
    const char **devices;
    size_t device_count;
    hub_x509_device *x509_devices; /* devices with certificates */
    size_t x509_count;
    const char **ca_files; /* CAs of devices */
    size_t ca_count;
    bool verbose;
    hub_pair_kind server_key; /* of the server certificate */
    bool dps;                 /* the emulator has a provisioning service */
    const char **enrolled;    /* registration ids of individual enrolments */
    size_t enrolled_count;
    const char **groups; /* ids of enrolment groups */
    size_t group_count;
    unsigned dps_assigning;
    unsigned dps_retry_after_s;
    unsigned certificate_life_s;
} hub_options;

/** Reads the command line. After a mistake, and after --help, the program ends. */
void hub_options_read(hub_options *o, int argc, char **argv);
void hub_options_free(hub_options *o);

#endif
