#ifndef PLAT_PKCS11_URI_H
#define PLAT_PKCS11_URI_H

/** @file A PKCS #11 URI, parsed by p11-kit, and the PIN that belongs to it. */

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "platform/pkcs11.h"

/** The place of an object: the parsed configuration. Written by pkcs11_uri.c only. */
typedef struct plat_pkcs11_place {
    P11KitUri *uri;
    plat_pkcs11_pin_fn pin;
    void *pin_user;
} plat_pkcs11_place;

/** The largest number of attributes of a plat_pkcs11_template: class, label and id. */
#define PLAT_PKCS11_TEMPLATE_MAX 3

/** What an object must have.  The values belong to the URI.  Written by pkcs11_uri.c only. */
typedef struct plat_pkcs11_template {
    CK_OBJECT_CLASS kind;
    CK_ATTRIBUTE attributes[PLAT_PKCS11_TEMPLATE_MAX];
    CK_ULONG count;
} plat_pkcs11_template;

/** A PIN.  Written by pkcs11_uri.c only. */
typedef struct plat_pkcs11_pin {
    char text[PLAT_PKCS11_PIN_MAX];
    size_t len;
} plat_pkcs11_pin;

/**
 * Parses the URI of a config.
 * @param[out] place  the caller calls plat_pkcs11_place_free.  Empty after a failure
 */
plat_result plat_pkcs11_place_parse(plat_pkcs11_place *place, const plat_pkcs11_config *config,
                                    plat_identity_fault *fault);

/** Erases the PIN and frees the URI. */
void plat_pkcs11_place_free(plat_pkcs11_place *place);

/**
 * Describes an object of the given kind that the URI names.
 * @param[out] t  it must not be moved: its attributes point to it
 * @retval PLAT_ERR_ARG  the URI names an object of another kind
 */
plat_result plat_pkcs11_template_make(plat_pkcs11_template *t, const plat_pkcs11_place *place,
                                      CK_OBJECT_CLASS kind, plat_identity_fault *fault);

/** Returns the name of a kind of object, in a few words. */
const char *plat_pkcs11_kind_str(CK_OBJECT_CLASS kind);

/**
 * Gets the PIN from the URI, from the file that it names, or from the callback.
 * @param token label of the token
 * @param[out] out the caller erases it, also after a failure
 * @retval PLAT_ERR_PASSPHRASE there is none
 */
plat_result plat_pkcs11_pin_get(plat_pkcs11_pin *out, const plat_pkcs11_place *place,
                                const char *token, plat_identity_fault *fault);

#endif
