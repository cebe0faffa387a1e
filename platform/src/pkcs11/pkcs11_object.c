#include "pkcs11/pkcs11_object.h"

#include <string.h>

#include "pkcs11/pkcs11_fault.h"
#include "wolfssl/identity/fault.h"

/* Object identifiers of curves in DER (RFC 5480 section 2.1.1.1). */
static const uint8_t p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };

plat_result plat_pkcs11_object_find(const plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                    CK_OBJECT_CLASS kind, CK_OBJECT_HANDLE *out,
                                    plat_identity_fault *fault)
{
    plat_pkcs11_template wanted;
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    plat_result r = plat_pkcs11_template_make(&wanted, place, kind, fault);
    if (r != PLAT_OK) {
        return r;
    }
    CK_RV code = t->module->C_FindObjectsInit(t->session, wanted.attributes, wanted.count);
    if (code == CKR_OK) {
        code = t->module->C_FindObjects(t->session, found, 2, &count);
        (void)t->module->C_FindObjectsFinal(t->session);
    }
    if (code != CKR_OK) {
        return plat_pkcs11_failed(fault, code, "looking for the object");
    }
    if (count != 1) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the PKCS #11 token has %s %s that fits the URI; correct object= or "
                              "id=",
                              count == 0 ? "no" : "more than one", plat_pkcs11_kind_str(kind));
    }
    *out = found[0];
    return PLAT_OK;
}

plat_result plat_pkcs11_object_read(const plat_pkcs11_token *t, CK_OBJECT_HANDLE object,
                                    CK_ATTRIBUTE_TYPE type, void *value, size_t *len,
                                    plat_identity_fault *fault)
{
    CK_ATTRIBUTE a = { type, NULL, 0 };
    CK_RV code = t->module->C_GetAttributeValue(t->session, object, &a, 1);
    if (code == CKR_OK && a.ulValueLen > *len) {
        *len = a.ulValueLen;
        return plat_fault_set(fault, PLAT_ERR_NO_SPACE,
                              "the object in the PKCS #11 token has %zu bytes, which is more than "
                              "there is room for",
                              *len);
    }
    if (code == CKR_OK) {
        a.pValue = value;
        a.ulValueLen = *len;
        code = t->module->C_GetAttributeValue(t->session, object, &a, 1);
    }
    if (code == CKR_OK && a.ulValueLen > *len) {
        code = CKR_ATTRIBUTE_VALUE_INVALID;
    }
    *len = code == CKR_OK ? a.ulValueLen : 0;
    return plat_pkcs11_failed(fault, code, "reading an attribute");
}

static plat_result not_usable(plat_identity_fault *fault)
{
    return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                          "the key in the PKCS #11 token is neither RSA nor EC P-256 or EC P-384; "
                          "make one of these");
}

static plat_result curve_of(const plat_pkcs11_token *t, CK_OBJECT_HANDLE object, plat_key_kind *out,
                            plat_identity_fault *fault)
{
    uint8_t curve[sizeof p256];
    size_t len = sizeof curve;
    plat_result r = plat_pkcs11_object_read(t, object, CKA_EC_PARAMS, curve, &len, fault);
    if (r == PLAT_ERR_NO_SPACE) {
        return not_usable(fault);
    }
    if (r != PLAT_OK) {
        return r;
    }
    if (len == sizeof p256 && memcmp(curve, p256, len) == 0) {
        *out = PLAT_KEY_EC_P256;
        return PLAT_OK;
    }
    if (len == sizeof p384 && memcmp(curve, p384, len) == 0) {
        *out = PLAT_KEY_EC_P384;
        return PLAT_OK;
    }
    return not_usable(fault);
}

plat_result plat_pkcs11_object_key_kind(const plat_pkcs11_token *t, CK_OBJECT_HANDLE object,
                                        plat_key_kind *out, plat_identity_fault *fault)
{
    CK_KEY_TYPE type = 0;
    size_t len = sizeof type;
    plat_result r = plat_pkcs11_object_read(t, object, CKA_KEY_TYPE, &type, &len, fault);
    if (r != PLAT_OK) {
        return r;
    }
    if (type == CKK_RSA) {
        *out = PLAT_KEY_RSA;
        return PLAT_OK;
    }
    return type == CKK_EC ? curve_of(t, object, out, fault) : not_usable(fault);
}
