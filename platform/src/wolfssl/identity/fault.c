#include "wolfssl/identity/fault.h"

#include <stdarg.h>
#include <stdio.h>

plat_result plat_fault_set(plat_identity_fault *fault, plat_result r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return r;
}

plat_result plat_fault_memory(plat_identity_fault *fault)
{
    return plat_fault_set(fault, PLAT_ERR_MEMORY, "there is no memory left");
}
