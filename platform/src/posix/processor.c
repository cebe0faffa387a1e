#include "posix/processor.h"

#if defined(__x86_64__)

bool plat_processor_has_aes(void)
{
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
}

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

#include <asm/hwcap.h>

bool plat_processor_has_aes(void)
{
    const unsigned long both = HWCAP_AES | HWCAP_PMULL;
    return (getauxval(AT_HWCAP) & both) == both;
}

#else

bool plat_processor_has_aes(void)
{
    return false;
}

#endif
