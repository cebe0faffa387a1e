#include "pkcs11/pkcs11_uri.h"

#include <stdlib.h>
#include <string.h>

#include "memory/wipe_memory.h"
#include "posix/read_file.h"
#include "wolfssl/identity/fault.h"

/* --- the URI --- */

plat_result plat_pkcs11_place_parse(plat_pkcs11_place *place, const plat_pkcs11_config *config,
                                    plat_identity_fault *fault)
{
    *place = (plat_pkcs11_place){ .pin = config->pin, .pin_user = config->pin_user };
    if (config->uri == NULL || strlen(config->uri) > PLAT_PKCS11_URI_MAX) {
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "the PKCS #11 URI is missing or longer than %d bytes",
                              PLAT_PKCS11_URI_MAX);
    }
    place->uri = p11_kit_uri_new();
    if (place->uri == NULL) {
        return plat_fault_memory(fault);
    }
    int rc = p11_kit_uri_parse(config->uri, P11_KIT_URI_FOR_ANY, place->uri);
    if (rc == P11_KIT_URI_OK && p11_kit_uri_any_unrecognized(place->uri) == 0) {
        return PLAT_OK;
    }
    plat_pkcs11_place_free(place);
    switch (rc) {
    case P11_KIT_URI_OK:
        return plat_fault_set(
            fault, PLAT_ERR_ARG,
            "the PKCS #11 URI contains an attribute that is not known; compare it "
            "with RFC 7512");
    case P11_KIT_URI_BAD_SCHEME:
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "this is not a PKCS #11 URI: it must begin with \"pkcs11:\"");
    case P11_KIT_URI_NO_MEMORY: return plat_fault_memory(fault);
    default:
        return plat_fault_set(
            fault, PLAT_ERR_ARG,
            "the PKCS #11 URI is malformed; encode spaces and special characters "
            "as %%20 and so on, and separate attributes by \";\", after the \"?\" "
            "by \"&\"");
    }
}

void plat_pkcs11_place_free(plat_pkcs11_place *place)
{
    if (place->uri != NULL) {
        /* p11-kit returns the PIN as const, but it is p11-kit's own memory, which is freed
         * without being erased. */
        const union {
            const char *seen;
            char *own;
        } pin = { p11_kit_uri_get_pin_value(place->uri) };
        if (pin.seen != NULL) {
            plat_wipe(pin.own, strlen(pin.seen));
        }
        p11_kit_uri_free(place->uri);
    }
    *place = (plat_pkcs11_place){ 0 };
}

const char *plat_pkcs11_kind_str(CK_OBJECT_CLASS kind)
{
    switch (kind) {
    case CKO_PRIVATE_KEY: return "private key";
    case CKO_PUBLIC_KEY: return "public key";
    case CKO_CERTIFICATE: return "certificate";
    default: return "object";
    }
}

plat_result plat_pkcs11_template_make(plat_pkcs11_template *t, const plat_pkcs11_place *place,
                                      CK_OBJECT_CLASS kind, plat_identity_fault *fault)
{
    const CK_ATTRIBUTE *named = p11_kit_uri_get_attribute(place->uri, CKA_CLASS);
    *t = (plat_pkcs11_template){ .kind = kind };
    if (named != NULL && named->ulValueLen == sizeof kind &&
        memcmp(named->pValue, &kind, sizeof kind) != 0) {
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "the PKCS #11 URI names another kind of object than a %s; correct "
                              "type=, or leave it out",
                              plat_pkcs11_kind_str(kind));
    }
    t->attributes[t->count++] = (CK_ATTRIBUTE){ CKA_CLASS, &t->kind, sizeof t->kind };
    static const CK_ATTRIBUTE_TYPE names[] = { CKA_LABEL, CKA_ID };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const CK_ATTRIBUTE *a = p11_kit_uri_get_attribute(place->uri, names[i]);
        if (a != NULL) {
            t->attributes[t->count++] = *a;
        }
    }
    return PLAT_OK;
}

/* --- the PIN --- */

static plat_result take_pin(plat_pkcs11_pin *out, const void *text, size_t len,
                            plat_identity_fault *fault)
{
    if (len > sizeof out->text) {
        return plat_fault_set(fault, PLAT_ERR_PASSPHRASE,
                              "the PIN of the PKCS #11 token is longer than %d bytes",
                              PLAT_PKCS11_PIN_MAX);
    }
    if (len > 0) {
        memcpy(out->text, text, len);
    }
    out->len = len;
    return PLAT_OK;
}

/* "file:/etc/pin" and "file:///etc/pin" name the same file as "/etc/pin". */
static const char *path_of(const char *source)
{
    if (strncmp(source, "file:", 5) == 0) {
        source += 5;
        source += strncmp(source, "///", 3) == 0 ? 2 : 0;
    }
    return source;
}

static plat_result read_pin(plat_pkcs11_pin *out, const char *source, plat_identity_fault *fault)
{
    plat_file_content file;
    const char *why = NULL;
    plat_result r = plat_read_file(path_of(source), PLAT_PKCS11_PIN_MAX + 2, &file, &why);
    if (r != PLAT_OK) {
        return plat_fault_set(
            fault, r == PLAT_ERR_MEMORY ? r : PLAT_ERR_PASSPHRASE,
            "the file of the PIN (pin-source in the PKCS #11 URI) cannot be used: "
            "%s",
            why);
    }
    size_t len = file.len;
    len -= len > 0 && file.bytes[len - 1] == '\n' ? 1u : 0u;
    len -= len > 0 && file.bytes[len - 1] == '\r' ? 1u : 0u;
    r = take_pin(out, file.bytes, len, fault);
    plat_wipe(file.bytes, file.len);
    free(file.bytes);
    return r;
}

plat_result plat_pkcs11_pin_get(plat_pkcs11_pin *out, const plat_pkcs11_place *place,
                                const char *token, plat_identity_fault *fault)
{
    const char *value = p11_kit_uri_get_pin_value(place->uri);
    const char *source = p11_kit_uri_get_pin_source(place->uri);
    out->len = 0;
    if (value != NULL) {
        return take_pin(out, value, strlen(value), fault);
    }
    if (source != NULL) {
        return read_pin(out, source, fault);
    }
    size_t len = place->pin != NULL
                     ? place->pin(place->pin_user, token, out->text, sizeof out->text)
                     : sizeof out->text + 1;
    if (len > sizeof out->text) {
        return plat_fault_set(
            fault, PLAT_ERR_PASSPHRASE,
            "the PKCS #11 token needs a PIN; add pin-source= or pin-value= to the "
            "URI, or set the callback pin");
    }
    out->len = len;
    return PLAT_OK;
}
