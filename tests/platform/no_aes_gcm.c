/* A test that links this file gets this function instead of the library's. It reports that the
 * processor has no instructions for AES-GCM, so the whole test runs as on such a processor. */

#include "nettle/aes_gcm.h"
#include "posix/processor.h"

plat_result plat_aes_gcm_seal(const plat_aes_gcm_record *r, uint8_t tag[PLAT_AES_GCM_TAG_LEN])
{
    (void)r;
    (void)tag;
    return PLAT_ERR_ARG;
}

plat_result plat_aes_gcm_open(const plat_aes_gcm_record *r, const uint8_t tag[PLAT_AES_GCM_TAG_LEN])
{
    (void)r;
    (void)tag;
    return PLAT_ERR_ARG;
}

bool plat_processor_has_aes(void)
{
    return false;
}
