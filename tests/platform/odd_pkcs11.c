#include "odd_pkcs11.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include <p11-kit/pkcs11.h>

extern odd_pkcs11 odd;
odd_pkcs11 odd;

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

/* Returns whether this call must fail. */
static bool fails(odd_call call)
{
    if (odd.failing != call) {
        return false;
    }
    if (odd.after > 0) {
        odd.after--;
        return false;
    }
    if (odd.times == 0) {
        return false;
    }
    odd.times--;
    return true;
}

static CK_RV get_info(CK_INFO *info)
{
    return fails(ODD_GET_INFO) ? odd.code : real->C_GetInfo(info);
}

static CK_RV get_slot_list(unsigned char present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    if (fails(ODD_GET_SLOT_LIST)) {
        return odd.code;
    }
    if (odd.removed) {
        *count = 0;
        return CKR_OK;
    }
    return real->C_GetSlotList(present, slots, count);
}

static CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    return fails(ODD_GET_SLOT_INFO) ? odd.code : real->C_GetSlotInfo(slot, info);
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    return fails(ODD_GET_TOKEN_INFO) ? odd.code : real->C_GetTokenInfo(slot, info);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *user, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *session)
{
    if (fails(ODD_OPEN_SESSION)) {
        return odd.code;
    }
    CK_RV code = real->C_OpenSession(slot, flags, user, notify, session);
    odd.sessions += code == CKR_OK ? 1 : 0;
    return code;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    CK_RV code = real->C_CloseSession(session);
    odd.sessions -= code == CKR_OK ? 1 : 0;
    return code;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG len)
{
    if (user == CKU_CONTEXT_SPECIFIC) {
        odd.context_logins++;
        return fails(ODD_LOGIN) ? odd.code : CKR_OK;
    }
    odd.logins++;
    return fails(ODD_LOGIN) ? odd.code : real->C_Login(session, user, pin, len);
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    return fails(ODD_FIND_INIT) ? odd.code : real->C_FindObjectsInit(session, wanted, count);
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *found, CK_ULONG most,
                  CK_ULONG *count)
{
    return fails(ODD_FIND) ? odd.code : real->C_FindObjects(session, found, most, count);
}

static CK_RV get_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a,
                           CK_ULONG count)
{
    if (fails(ODD_GET_ATTRIBUTE)) {
        return odd.code;
    }
    CK_RV code = real->C_GetAttributeValue(session, object, a, count);
    if (odd.asks_each_time && a->type == CKA_ALWAYS_AUTHENTICATE && a->pValue != NULL) {
        *(CK_BBOOL *)a->pValue = CK_TRUE;
    }
    return code;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return fails(ODD_SIGN_INIT) ? odd.code : real->C_SignInit(session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len, unsigned char *out,
                  CK_ULONG *out_len)
{
    if (fails(ODD_SIGN)) {
        return odd.code;
    }
    CK_RV code = odd.removed ? CKR_DEVICE_REMOVED : real->C_Sign(session, data, len, out, out_len);
    *out_len -= code == CKR_OK ? odd.short_by : 0;
    return code;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    CK_C_GetFunctionList get;
    void *library = dlopen(SOFTHSM_MODULE, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library != NULL ? dlsym(library, "C_GetFunctionList") : NULL;
    if (symbol == NULL) {
        return CKR_GENERAL_ERROR;
    }
    /* ISO C has no cast from a pointer to an object to a pointer to a function. */
    memcpy(&get, &symbol, sizeof get);
    CK_RV code = get(&real);
    if (code != CKR_OK) {
        return code;
    }
    ours = *real;
    ours.C_GetFunctionList = C_GetFunctionList;
    ours.C_GetInfo = get_info;
    ours.C_GetSlotList = get_slot_list;
    ours.C_GetSlotInfo = get_slot_info;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_OpenSession = open_session;
    ours.C_CloseSession = close_session;
    ours.C_Login = login;
    ours.C_FindObjectsInit = find_init;
    ours.C_FindObjects = find;
    ours.C_GetAttributeValue = get_attribute;
    ours.C_SignInit = sign_init;
    ours.C_Sign = sign;
    *list = &ours;
    return CKR_OK;
}
