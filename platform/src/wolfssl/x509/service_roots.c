#include "wolfssl/x509/service_roots.h"

#ifdef PLAT_WITH_SERVICE_ROOTS
plat_result plat_service_roots_add(plat_roots *r, const char **why)
{
    plat_result result = PLAT_OK;
    for (size_t i = 0; i < plat_service_root_count && result == PLAT_OK; i++) {
        result = plat_roots_add(r, plat_service_roots[i].der, plat_service_roots[i].len, why);
    }
    return result;
}
#else
plat_result plat_service_roots_add(plat_roots *r, const char **why)
{
    (void)r;
    *why = "this library was built without them; build it with -DIOTHUB_COMPILED_IN_ROOTS=ON";
    return PLAT_ERR_TRUST_STORE;
}
#endif
