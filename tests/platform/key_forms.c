#include "key_forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

const key_form key_forms[] = {
    { "traditional PEM", true, true, NULL, NULL, true },
    { "PKCS #8 PEM", true, false, NULL, NULL, true },
    { "traditional DER", false, true, NULL, NULL, true },
    { "PKCS #8 DER", false, false, NULL, NULL, true },
    { "traditional AES-128", true, true, "AES-128-CBC", NULL, true },
    { "traditional AES-192", true, true, "AES-192-CBC", NULL, true },
    { "traditional AES-256", true, true, "AES-256-CBC", NULL, true },
    { "traditional 3DES", true, true, "DES-EDE3-CBC", NULL, true },
    { "traditional Camellia", true, true, "CAMELLIA-128-CBC", NULL, false },
    { "PBES2 AES-128", true, false, "AES-128-CBC", "hmacWithSHA256", true },
    { "PBES2 AES-256", true, false, "AES-256-CBC", "hmacWithSHA256", true },
    { "PBES2 AES-256 SHA-1", true, false, "AES-256-CBC", "hmacWithSHA1", true },
    { "PBES2 AES-256 SHA-512", true, false, "AES-256-CBC", "hmacWithSHA512", true },
    { "PBES2 AES-192 SHA-384", true, false, "AES-192-CBC", "hmacWithSHA384", true },
    { "PBES2 3DES", true, false, "DES-EDE3-CBC", "hmacWithSHA256", true },
    { "PBES2 AES-256 DER", false, false, "AES-256-CBC", "hmacWithSHA256", true },
    { "PBES2 scrypt", true, false, "AES-256-CBC", "scrypt", false },
    { "PBES1 SHA-1 3DES", true, false, "PBE", "PBE-SHA1-3DES", true },
};
const size_t key_form_count = sizeof key_forms / sizeof key_forms[0];

static EVP_PKEY *load(pki_key key)
{
    uint8_t der[2048];
    const unsigned char *at = der;
    size_t len = pki_key_der(key, der, sizeof der);
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, (long)len);
    assert_non_null(pkey);
    return pkey;
}

static X509_ALGOR *algorithm_of(const key_form *form)
{
    if (strcmp(form->cipher, "PBE") == 0) {
        return PKCS5_pbe_set(OBJ_txt2nid(form->prf), 2048, NULL, 0);
    }
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(form->cipher);
    if (strcmp(form->prf, "scrypt") == 0) {
        return PKCS5_pbe2_set_scrypt(cipher, NULL, 0, NULL, 1024, 8, 1);
    }
    return PKCS5_pbe2_set_iv(cipher, 2048, NULL, 0, NULL, OBJ_txt2nid(form->prf));
}

static void write_encrypted(const key_form *form, EVP_PKEY *pkey, BIO *bio)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    X509_ALGOR *algorithm = algorithm_of(form);
    assert_non_null(algorithm);
    X509_SIG *sealed = PKCS8_set0_pbe(KEY_PASSPHRASE, (int)strlen(KEY_PASSPHRASE), info, algorithm);
    assert_non_null(sealed);
    assert_int_equal(form->pem ? PEM_write_bio_PKCS8(bio, sealed) : i2d_PKCS8_bio(bio, sealed), 1);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void write_plain(const key_form *form, EVP_PKEY *pkey, BIO *bio)
{
    if (form->traditional && form->pem) {
        const EVP_CIPHER *cipher = form->cipher != NULL ? EVP_get_cipherbyname(form->cipher) : NULL;
        assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                             bio, pkey, cipher, (const unsigned char *)KEY_PASSPHRASE,
                             (int)strlen(KEY_PASSPHRASE), NULL, NULL),
                         1);
    } else if (form->traditional) {
        assert_int_equal(i2d_PrivateKey_bio(bio, pkey), 1);
    } else if (form->pem) {
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    } else {
        assert_int_equal(i2d_PKCS8PrivateKey_bio(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    }
}

size_t write_key_form(const key_form *form, pki_key key, uint8_t *out, size_t cap)
{
    EVP_PKEY *pkey = load(key);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    if (form->cipher != NULL && !form->traditional) {
        write_encrypted(form, pkey, bio);
    } else {
        write_plain(form, pkey, bio);
    }
    long len = BIO_get_mem_data(bio, &bytes);
    assert_in_range(len, 1, cap);
    memcpy(out, bytes, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return (size_t)len;
}
