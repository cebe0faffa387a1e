/* Tests how client certificates and private keys are read. The input is the length of the chain as
 * two bytes, the chain, and the key; without a key, the chain's text has it. An identity is either
 * made, and then its chain can be read again, or there is a text that names the fault. */

#include "fuzz.h"
#include "wolfssl/identity/identity.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/pwdbased.h>

#define PASSPHRASE "fuzz"

/* Deriving a key may take seconds by design. Here it stops after this number of iterations, and
 * the passphrase counts as wrong. */
enum { ITERATIONS_MAX = 100 };

int __real_wc_PBKDF2(byte *out, const byte *passphrase, int passphrase_len, const byte *salt,
                     int salt_len, int iterations, int len, int hash);
int __wrap_wc_PBKDF2(byte *out, const byte *passphrase, int passphrase_len, const byte *salt,
                     int salt_len, int iterations, int len, int hash);

int __wrap_wc_PBKDF2(byte *out, const byte *passphrase, int passphrase_len, const byte *salt,
                     int salt_len, int iterations, int len, int hash)
{
    return __real_wc_PBKDF2(out, passphrase, passphrase_len, salt, salt_len,
                            iterations < ITERATIONS_MAX ? iterations : ITERATIONS_MAX, len, hash);
}

static size_t passphrase(void *user, char *out, size_t cap)
{
    unsigned *calls = user;
    FUZZ_CHECK(++*calls == 1 && cap == PLAT_PASSPHRASE_MAX);
    memcpy(out, PASSPHRASE, strlen(PASSPHRASE));
    return strlen(PASSPHRASE);
}

static void check_text(const char *text)
{
    FUZZ_CHECK(text[0] != '\0' && strlen(text) < PLAT_IDENTITY_TEXT_SIZE);
    for (const char *at = text; *at != '\0'; at++) {
        FUZZ_CHECK(*at >= ' ' && *at <= '~');
    }
    FUZZ_CHECK(strstr(text, "BEGIN PRIVATE") == NULL || strstr(text, "no private key") != NULL);
}

static void check_identity(const plat_identity *id)
{
    plat_client_chain again;
    plat_identity_fault fault;
    const plat_identity_info *info = &id->chain.info;
    FUZZ_CHECK(info->key >= PLAT_KEY_RSA && info->key <= PLAT_KEY_EC_P384);
    FUZZ_CHECK(info->certificates >= 1 && info->certificates <= PLAT_CLIENT_CHAIN_MAX);
    FUZZ_CHECK(info->chain_until_s <= info->not_after_s);
    FUZZ_CHECK(strlen(info->common_name) <= PLAT_COMMON_NAME_MAX);
    FUZZ_CHECK(id->key.kind == info->key && id->key.der != NULL);
    FUZZ_CHECK(plat_client_chain_read(&again, id->chain.pem, id->chain.pem_len, &fault) == PLAT_OK);
    FUZZ_CHECK(again.pem_len == id->chain.pem_len && again.info.certificates == info->certificates);
    FUZZ_CHECK(memcmp(again.info.sha256, info->sha256, sizeof info->sha256) == 0);
    plat_client_chain_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const plat_identities *identities = &plat_wolfssl_identities;
    plat_identity *id = NULL;
    plat_identity_fault fault;
    unsigned calls = 0;
    if (size < 2) {
        return 0;
    }
    size_t chain_len = (size_t)data[0] << 8 | data[1];
    chain_len = chain_len < size - 2 ? chain_len : size - 2;
    const size_t key_len = size - 2 - chain_len;
    char *chain = fuzz_text((fuzz_input){ data + 2, chain_len });
    char *key = fuzz_text((fuzz_input){ data + 2 + chain_len, key_len });
    const plat_identity_config config = {
        .chain = { chain, chain_len, NULL },
        .key = { key_len > 0 ? key : NULL, key_len, NULL },
        .passphrase = passphrase,
        .passphrase_user = &calls,
    };
    plat_result r = identities->make(identities, &config, &id, &fault);
    FUZZ_CHECK((r == PLAT_OK) == (id != NULL));
    if (r == PLAT_OK) {
        FUZZ_CHECK(fault.text[0] == '\0');
        check_identity(id);
    } else {
        FUZZ_CHECK(r == PLAT_ERR_IDENTITY || r == PLAT_ERR_PASSPHRASE || r == PLAT_ERR_CRYPTO);
        check_text(fault.text);
    }
    identities->release(id);
    free(chain);
    free(key);
    return 0;
}
