#ifndef PLAT_PKCS11_OBJECT_H
#define PLAT_PKCS11_OBJECT_H

/** @file Objects of an open token and their attributes. */

#include <stdbool.h>

#include "pkcs11/pkcs11_token.h"

/**
 * Finds the one object of a kind that the URI names.
 * @retval PLAT_ERR_IDENTITY  there is none, or more than one
 */
plat_result plat_pkcs11_object_find(const plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                    CK_OBJECT_CLASS kind, CK_OBJECT_HANDLE *out,
                                    plat_identity_fault *fault);

/**
 * Reads an attribute of an object.
 * @param[in,out] len        the room in value, then the size of the attribute
 * @retval PLAT_ERR_NO_SPACE  the attribute is larger; *len is its size if the token has named it
 */
plat_result plat_pkcs11_object_read(const plat_pkcs11_token *t, CK_OBJECT_HANDLE object,
                                    CK_ATTRIBUTE_TYPE type, void *value, size_t *len,
                                    plat_identity_fault *fault);

/**
 * Reads the kind of a private or public key.
 * @retval PLAT_ERR_IDENTITY  it is neither RSA nor EC P-256 or EC P-384
 */
plat_result plat_pkcs11_object_key_kind(const plat_pkcs11_token *t, CK_OBJECT_HANDLE object,
                                        plat_key_kind *out, plat_identity_fault *fault);

#endif
