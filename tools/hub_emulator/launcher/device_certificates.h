#ifndef HUB_DEVICE_CERTIFICATES_H
#define HUB_DEVICE_CERTIFICATES_H

/** @file Devices that log in with a certificate, ready made: registered, with their files. */

#include "registry/registry.h"

/** A device with certificates that the option --x509 or --x509-ca requests. */
typedef struct hub_x509_device {
    const char *id;
    /* True: the CA of the emulator signs its certificate; false: the certificate signs itself. */
    bool by_ca;
} hub_x509_device;

/** Appends a device to a list on the heap; id belongs to the caller. */
void hub_x509_device_add(hub_x509_device **list, size_t *count, const char *id, bool by_ca);

/** Returns NAME.crt or NAME.key of a device as a path, on the heap; suffix is "crt" or "key". */
char *hub_device_certificate_path(const hub_store *store, const char *id, const char *suffix);

/**
 * Makes sure that the device has a certificate and a key in the state directory, valid for some
 * more days, and that it is registered with them. The CA of the emulator exists.
 */
hub_result hub_device_certificate_ensure(hub_registry *r, const hub_x509_device *device,
                                         int64_t now_ms, hub_fault *fault);

#endif
