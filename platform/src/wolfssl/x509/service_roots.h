#ifndef PLAT_WOLFSSL_SERVICE_ROOTS_H
#define PLAT_WOLFSSL_SERVICE_ROOTS_H

/**
 * @file
 * The roots of IoT Hub and the Device Provisioning Service, compiled into the library. They are
 * listed in service_roots.txt. CMake copies the certificates from the system that builds the
 * library; see IOTHUB_COMPILED_IN_ROOTS in platform/README.md.
 */

#include "wolfssl/x509/roots.h"

/** One compiled-in root. */
typedef struct plat_service_root {
    const char *name;
    const uint8_t *der;
    size_t len;
} plat_service_root;

/** All compiled-in roots; the generated file service_roots_data.c defines both variables. */
extern const plat_service_root plat_service_roots[];
extern const size_t plat_service_root_count;

/**
 * Adds the compiled-in roots.
 * @param[out] why  after a failure: the reason, one line of static text
 * @retval PLAT_ERR_TRUST_STORE  the library was built without them
 * @retval PLAT_ERR_MEMORY       no memory is left
 */
plat_result plat_service_roots_add(plat_roots *r, const char **why);

#endif
