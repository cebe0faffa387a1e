#include "wolfssl/crypto/crypto_callback.h"

#include <stddef.h>
#include <string.h>

#include "nettle/aes_gcm.h"
#include "posix/processor.h"
#include "wolfssl/crypto/curve_tables.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/cryptocb.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

/* Defined if wolfSSL uses the processor's AES instructions itself; if not, whether another
 * library does. */
#if defined(WOLFSSL_AESNI) || defined(WOLFSSL_ARMASM)
enum { BY_WOLFSSL = true, BY_CALLBACK = false };
#elif defined(PLAT_WITH_AES_GCM)
enum { BY_WOLFSSL = false, BY_CALLBACK = true };
#else
enum { BY_WOLFSSL = false, BY_CALLBACK = false };
#endif

#if defined(WOLF_CRYPTO_CB) && defined(HAVE_AESGCM) && defined(HAVE_ECC)

/* "ioth"; it must differ from the devices that an application registers. */
#define DEVICE 0x696f7468

/* --- AES-GCM --- */

#ifdef PLAT_WITH_AES_GCM
/*
 * The type Aes requires an alignment of 16 bytes, but wolfSSL's malloc guarantees 8 on 32-bit Arm.
 * So members are read as bytes, which need no alignment.
 */
static size_t key_len_of(const Aes *aes)
{
    word32 len;
    _Static_assert(sizeof len == sizeof((const Aes *)0)->keylen, "of another size");
    memcpy(&len, (const byte *)aes + offsetof(Aes, keylen), sizeof len);
    return len;
}

static const uint8_t *key_of(const Aes *aes)
{
    return (const uint8_t *)aes + offsetof(Aes, devKey);
}

static bool is_ours(const Aes *aes, word32 nonce_len, word32 tag_len)
{
    const size_t key_len = key_len_of(aes);
    return BY_CALLBACK && (key_len == 16 || key_len == 32) && nonce_len == PLAT_AES_GCM_NONCE_LEN &&
           tag_len == PLAT_AES_GCM_TAG_LEN;
}

static int seal(const wc_CryptoInfo *info)
{
    const Aes *aes = info->cipher.aesgcm_enc.aes;
    if (!is_ours(aes, info->cipher.aesgcm_enc.ivSz, info->cipher.aesgcm_enc.authTagSz)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    const plat_aes_gcm_record r = {
        .key = key_of(aes),
        .key_len = key_len_of(aes),
        .nonce = info->cipher.aesgcm_enc.iv,
        .aad = info->cipher.aesgcm_enc.authIn,
        .aad_len = info->cipher.aesgcm_enc.authInSz,
        .in = info->cipher.aesgcm_enc.in,
        .out = info->cipher.aesgcm_enc.out,
        .len = info->cipher.aesgcm_enc.sz,
    };
    return plat_aes_gcm_seal(&r, info->cipher.aesgcm_enc.authTag) == PLAT_OK ? 0
                                                                             : CRYPTOCB_UNAVAILABLE;
}

static int open_record(const wc_CryptoInfo *info)
{
    const Aes *aes = info->cipher.aesgcm_dec.aes;
    if (!is_ours(aes, info->cipher.aesgcm_dec.ivSz, info->cipher.aesgcm_dec.authTagSz)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    const plat_aes_gcm_record r = {
        .key = key_of(aes),
        .key_len = key_len_of(aes),
        .nonce = info->cipher.aesgcm_dec.iv,
        .aad = info->cipher.aesgcm_dec.authIn,
        .aad_len = info->cipher.aesgcm_dec.authInSz,
        .in = info->cipher.aesgcm_dec.in,
        .out = info->cipher.aesgcm_dec.out,
        .len = info->cipher.aesgcm_dec.sz,
    };
    switch ((int)plat_aes_gcm_open(&r, info->cipher.aesgcm_dec.authTag)) {
    case PLAT_OK: return 0;
    case PLAT_ERR_CRYPTO: return AES_GCM_AUTH_E;
    default: return CRYPTOCB_UNAVAILABLE;
    }
}
#else
static int seal(const wc_CryptoInfo *info)
{
    (void)info;
    return CRYPTOCB_UNAVAILABLE;
}

static int open_record(const wc_CryptoInfo *info)
{
    (void)info;
    return CRYPTOCB_UNAVAILABLE;
}
#endif

/* --- the callback --- */

static bool multiplies_points(int pk_type)
{
    return pk_type == WC_PK_TYPE_ECDSA_VERIFY || pk_type == WC_PK_TYPE_EC_KEYGEN ||
           pk_type == WC_PK_TYPE_ECDH;
}

/* Returns whether the operation is AES-GCM. The Aes must not be NULL: without one, wolfCrypt
 * asks any device, including ours. */
static bool is_aes_gcm(const wc_CryptoInfo *info)
{
    return info->algo_type == WC_ALGO_TYPE_CIPHER && info->cipher.type == WC_CIPHER_AES_GCM &&
           info->cipher.aesgcm_enc.aes != NULL;
}

/* Called before each operation. After CRYPTOCB_UNAVAILABLE, wolfCrypt computes the operation
 * itself. */
static int asked(int device, wc_CryptoInfo *info, void *context)
{
    (void)device;
    (void)context;
    if (info->algo_type == WC_ALGO_TYPE_PK && multiplies_points(info->pk.type)) {
        plat_curve_tables_tidy();
    }
    if (is_aes_gcm(info)) {
        return info->cipher.enc ? seal(info) : open_record(info);
    }
    return CRYPTOCB_UNAVAILABLE;
}

/* --- registering it --- */

/* The members of these structs depend on options of the compiler and of wolfSSL, and the library
 * may have been built with other options than our code. So the first call, a probe, has known
 * arguments to compare with. */
typedef struct probe {
    Aes aes;
    byte key[16];
    byte in[3];
    byte out[3];
    byte nonce[PLAT_AES_GCM_NONCE_LEN];
    byte tag[PLAT_AES_GCM_TAG_LEN];
    byte aad[5];
    bool right; /* the callback has received exactly these arguments */
} probe;

static int asked_first(int device, wc_CryptoInfo *info, void *context)
{
    probe *p = context;
    (void)device;
    if (p->right) { /* wolfSSL 5.9 calls it once more when an Aes is freed */
        return CRYPTOCB_UNAVAILABLE;
    }
    p->right = is_aes_gcm(info) && info->cipher.enc && info->cipher.aesgcm_enc.aes == &p->aes &&
               info->cipher.aesgcm_enc.out == p->out && info->cipher.aesgcm_enc.in == p->in &&
               info->cipher.aesgcm_enc.sz == sizeof p->in &&
               info->cipher.aesgcm_enc.iv == p->nonce &&
               info->cipher.aesgcm_enc.ivSz == sizeof p->nonce &&
               info->cipher.aesgcm_enc.authTag == p->tag &&
               info->cipher.aesgcm_enc.authTagSz == sizeof p->tag &&
               info->cipher.aesgcm_enc.authIn == p->aad &&
               info->cipher.aesgcm_enc.authInSz == sizeof p->aad && p->aes.keylen == 16 &&
               memcmp(p->aes.devKey, p->key, sizeof p->key) == 0;
    return p->right ? 0 : CRYPTOCB_UNAVAILABLE;
}

static void ask(probe *p)
{
    if (wc_AesInit(&p->aes, NULL, DEVICE) == 0) {
        if (wc_AesGcmSetKey(&p->aes, p->key, sizeof p->key) == 0) {
            (void)wc_AesGcmEncrypt(&p->aes, p->out, p->in, sizeof p->in, p->nonce, sizeof p->nonce,
                                   p->tag, sizeof p->tag, p->aad, sizeof p->aad);
        }
        wc_AesFree(&p->aes);
    }
}

int plat_crypto_callback_register(void)
{
    probe p = { .key = "a probe, no key" };
    if (wc_CryptoCb_RegisterDevice(DEVICE, asked_first, &p) != 0) {
        return INVALID_DEVID;
    }
    ask(&p);
    if (p.right && wc_CryptoCb_RegisterDevice(DEVICE, asked, NULL) == 0) {
        return DEVICE;
    }
    wc_CryptoCb_UnRegisterDevice(DEVICE);
    return INVALID_DEVID;
}

#else

int plat_crypto_callback_register(void)
{
    return INVALID_DEVID;
}

#endif

bool plat_crypto_callback_is_fast_at_aes(int device)
{
    return plat_processor_has_aes() && (BY_WOLFSSL || (BY_CALLBACK && device != INVALID_DEVID));
}
