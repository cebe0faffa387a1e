/*
 * Linked into a test, this stands in front of the library for AES-GCM and says that the processor
 * has no instructions: the whole test runs as where neither is there.
 */

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
