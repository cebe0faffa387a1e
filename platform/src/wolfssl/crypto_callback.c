#include "wolfssl/crypto_callback.h"

#include "wolfssl/curve_tables.h"

#include <stdbool.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/cryptocb.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#ifdef WOLF_CRYPTO_CB

#define DEVICE 0x696f7468 /* "ioth": an application may have devices of its own */

static bool multiplies_points(int pk_type)
{
    return pk_type == WC_PK_TYPE_ECDSA_VERIFY || pk_type == WC_PK_TYPE_EC_KEYGEN ||
           pk_type == WC_PK_TYPE_ECDH;
}

/* wolfCrypt goes on by itself after CRYPTOCB_UNAVAILABLE. */
static int asked(int device, wc_CryptoInfo *info, void *context)
{
    (void)device;
    (void)context;
    if (info->algo_type == WC_ALGO_TYPE_PK && multiplies_points(info->pk.type)) {
        plat_curve_tables_tidy();
    }
    return CRYPTOCB_UNAVAILABLE;
}

int plat_crypto_callback_register(void)
{
    return wc_CryptoCb_RegisterDevice(DEVICE, asked, NULL) == 0 ? DEVICE : INVALID_DEVID;
}

#else

int plat_crypto_callback_register(void)
{
    return INVALID_DEVID;
}

#endif
