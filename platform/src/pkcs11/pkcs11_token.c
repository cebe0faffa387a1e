#include "pkcs11/pkcs11_token.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory/wipe_memory.h"
#include "pkcs11/pkcs11_fault.h"
#include "wolfssl/identity/fault.h"

#define NO_SLOT ((CK_SLOT_ID)-1) /* what p11-kit returns if the URI names no slot */

/* --- modules --- */

static plat_result load_named(plat_pkcs11_token *t, const char *path, plat_identity_fault *fault)
{
    CK_FUNCTION_LIST *module = p11_kit_module_load(path, 0);
    if (module == NULL) {
        return plat_fault_set(fault, PLAT_ERR_SIGNER,
                              "the PKCS #11 module %.80s cannot be loaded; correct module-path= in "
                              "the URI, or install the module",
                              path);
    }
    CK_RV code = p11_kit_module_initialize(module);
    if (code != CKR_OK) {
        p11_kit_module_release(module);
        return plat_fault_set(fault, PLAT_ERR_SIGNER,
                              "the PKCS #11 module %.80s cannot be initialised (%s); check its "
                              "configuration",
                              path, p11_kit_strerror(code));
    }
    t->named = module;
    return PLAT_OK;
}

static plat_result load_modules(plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                plat_identity_fault *fault)
{
    const char *path = p11_kit_uri_get_module_path(place->uri);
    if (path != NULL) {
        return load_named(t, path, fault);
    }
    t->searched = p11_kit_modules_load_and_initialize(0);
    if (t->searched == NULL) {
        return plat_fault_set(fault, PLAT_ERR_SIGNER,
                              "the PKCS #11 modules of the system cannot be loaded; check the "
                              "configuration of p11-kit, or add module-path= to the URI");
    }
    return PLAT_OK;
}

static void unload_modules(plat_pkcs11_token *t)
{
    if (t->named != NULL) {
        (void)p11_kit_module_finalize(t->named);
        p11_kit_module_release(t->named);
        t->named = NULL;
    }
    if (t->searched != NULL) {
        p11_kit_modules_finalize_and_release(t->searched);
        t->searched = NULL;
    }
    t->module = NULL;
}

/* --- slots --- */

/* What the search for the token has found. */
typedef struct search {
    const plat_pkcs11_place *place;
    unsigned modules; /* number of those that fit the URI */
    unsigned tokens;  /* number of those that fit the URI */
} search;

static bool fits_module(CK_FUNCTION_LIST *module, const plat_pkcs11_place *place)
{
    CK_INFO info;
    const char *wanted = p11_kit_uri_get_module_name(place->uri);
    if (wanted != NULL) {
        char *name = p11_kit_module_get_name(module);
        const bool equal = name != NULL && strcmp(name, wanted) == 0;
        free(name);
        if (!equal) {
            return false;
        }
    }
    memset(&info, 0, sizeof info);
    return module->C_GetInfo(&info) == CKR_OK &&
           p11_kit_uri_match_module_info(place->uri, &info) != 0;
}

static bool fits_slot(CK_FUNCTION_LIST *module, CK_SLOT_ID slot, const plat_pkcs11_place *place,
                      CK_TOKEN_INFO *token)
{
    CK_SLOT_INFO info;
    const CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(place->uri);
    memset(&info, 0, sizeof info);
    memset(token, 0, sizeof *token);
    return (wanted == NO_SLOT || wanted == slot) && module->C_GetSlotInfo(slot, &info) == CKR_OK &&
           p11_kit_uri_match_slot_info(place->uri, &info) != 0 &&
           module->C_GetTokenInfo(slot, token) == CKR_OK &&
           (token->flags & CKF_TOKEN_INITIALIZED) != 0 &&
           p11_kit_uri_match_token_info(place->uri, token) != 0;
}

static void note_token(plat_pkcs11_token *t, CK_FUNCTION_LIST *module, CK_SLOT_ID slot,
                       const CK_TOKEN_INFO *token)
{
    const size_t len = p11_kit_space_strlen(token->label, sizeof token->label);
    t->module = module;
    t->slot = slot;
    t->flags = token->flags;
    memcpy(t->label, token->label, len);
    t->label[len] = '\0';
}

/* The slots with a token; from malloc.  NULL: there are none, or they cannot be listed. */
static CK_SLOT_ID *list_slots(CK_FUNCTION_LIST *module, CK_ULONG *count)
{
    *count = 0;
    if (module->C_GetSlotList(CK_TRUE, NULL, count) != CKR_OK || *count == 0) {
        return NULL;
    }
    CK_SLOT_ID *slots = calloc(*count, sizeof *slots);
    if (slots != NULL && module->C_GetSlotList(CK_TRUE, slots, count) != CKR_OK) {
        free(slots);
        return NULL;
    }
    return slots;
}

static void search_module(plat_pkcs11_token *t, CK_FUNCTION_LIST *module, search *found)
{
    CK_ULONG count;
    CK_TOKEN_INFO token;
    if (!fits_module(module, found->place)) {
        return;
    }
    found->modules++;
    CK_SLOT_ID *slots = list_slots(module, &count);
    for (CK_ULONG i = 0; slots != NULL && i < count; i++) {
        if (fits_slot(module, slots[i], found->place, &token)) {
            found->tokens++;
            note_token(t, module, slots[i], &token);
        }
    }
    free(slots);
}

static plat_result find_token(plat_pkcs11_token *t, const plat_pkcs11_place *place,
                              plat_identity_fault *fault)
{
    search found = { .place = place };
    if (t->named != NULL) {
        search_module(t, t->named, &found);
    }
    for (CK_FUNCTION_LIST **m = t->searched; m != NULL && *m != NULL; m++) {
        search_module(t, *m, &found);
    }
    if (found.modules == 0) {
        return plat_fault_set(
            fault, PLAT_ERR_SIGNER,
            "no PKCS #11 module fits the URI; correct module-name= or library-*=, "
            "or add module-path=");
    }
    if (found.tokens == 0) {
        return plat_fault_set(
            fault, PLAT_ERR_SIGNER,
            "no PKCS #11 token that fits the URI is present; insert it, or correct "
            "token= and the other attributes of the token");
    }
    if (found.tokens > 1) {
        return plat_fault_set(fault, PLAT_ERR_ARG,
                              "%u PKCS #11 tokens fit the URI; add token= or serial= to it",
                              found.tokens);
    }
    return PLAT_OK;
}

/* --- the session --- */

static bool is_refused(CK_RV code)
{
    return code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE ||
           code == CKR_PIN_LOCKED || code == CKR_PIN_EXPIRED;
}

plat_result plat_pkcs11_token_open(plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                   plat_identity_fault *fault)
{
    if (t->state == PLAT_PKCS11_OPEN) {
        return PLAT_OK;
    }
    if (t->state == PLAT_PKCS11_REFUSED) {
        return plat_pkcs11_failed(fault, CKR_PIN_INCORRECT, "");
    }
    plat_result r = load_modules(t, place, fault);
    if (r == PLAT_OK) {
        r = find_token(t, place, fault);
    }
    if (r == PLAT_OK) {
        CK_RV code = t->module->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session);
        r = plat_pkcs11_failed(fault, code, "opening a session");
    }
    if (r != PLAT_OK) {
        unload_modules(t);
        return r;
    }
    t->state = PLAT_PKCS11_OPEN;
    return PLAT_OK;
}

plat_result plat_pkcs11_token_login(plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                    CK_USER_TYPE user, plat_identity_fault *fault)
{
    plat_pkcs11_pin pin = { .len = 0 };
    plat_result r = PLAT_OK;
    if (user == CKU_USER && (t->flags & CKF_LOGIN_REQUIRED) == 0) {
        return PLAT_OK;
    }
    const bool own_keypad = (t->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    if (!own_keypad) {
        r = plat_pkcs11_pin_get(&pin, place, t->label, fault);
    }
    if (r == PLAT_OK) {
        CK_RV code = t->module->C_Login(t->session, user,
                                        own_keypad ? NULL : (unsigned char *)pin.text, pin.len);
        if (is_refused(code)) {
            plat_pkcs11_token_close(t);
            t->state = PLAT_PKCS11_REFUSED;
        }
        /* If another session of this process has logged in, that login counts. */
        r = plat_pkcs11_failed(fault, code == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : code,
                               "logging in");
    }
    plat_wipe(&pin, sizeof pin);
    return r;
}

void plat_pkcs11_token_close(plat_pkcs11_token *t)
{
    if (t->state == PLAT_PKCS11_OPEN) {
        (void)t->module->C_CloseSession(t->session);
        unload_modules(t);
        t->state = PLAT_PKCS11_CLOSED;
    }
}
