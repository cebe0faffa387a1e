#include "soft_token.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <p11-kit/p11-kit.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>

static char directory[64];
static void *odd_library;

/* Runs a program without its output; fails the test if it fails. */
static void run(const char *const argv[])
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, STDOUT_FILENO);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("%s %s failed", argv[0], argv[1]);
    }
}

const char *soft_token_file(const char *name, const char *text)
{
    static char path[sizeof directory + 64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

void soft_token_make(void)
{
    char text[256];
    char tokens[sizeof directory + 8];
    snprintf(directory, sizeof directory, "/tmp/soft_token.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(tokens, sizeof tokens, "%s/tokens", directory);
    assert_int_equal(mkdir(tokens, 0700), 0);
    snprintf(text, sizeof text, "directories.tokendir = %s\nlog.level = ERROR\n", tokens);
    assert_int_equal(setenv("SOFTHSM2_CONF", soft_token_file("softhsm2.conf", text), 1), 0);
    soft_token_add(SOFT_TOKEN_LABEL);
}

void soft_token_add(const char *label)
{
    const char *const argv[] = { "softhsm2-util", "--init-token", "--free", "--label",      label,
                                 "--so-pin",      "so-12345",     "--pin",  SOFT_TOKEN_PIN, NULL };
    run(argv);
}

/* Writes a private key as PKCS #8, which softhsm2-util reads. */
static word32 write_pkcs8(const uint8_t *der, size_t len, byte *out, word32 cap)
{
    ecc_key ec;
    word32 at = 0, out_len = cap;
    assert_int_equal(wc_ecc_init(&ec), 0);
    int rc = wc_EccPrivateKeyDecode(der, &at, &ec, (word32)len);
    if (rc == 0) {
        rc = wc_EccKeyToPKCS8(&ec, out, &out_len);
    } else {
        rc = wc_CreatePKCS8Key(out, &out_len, (byte *)(uintptr_t)der, (word32)len, RSAk, NULL, 0);
    }
    wc_ecc_free(&ec);
    assert_true(rc >= 0);
    return out_len;
}

void soft_token_import(const uint8_t *der, size_t len, const char *label, const char *id)
{
    char pem[8192];
    char path[128];
    byte pkcs8[4096];
    const word32 pkcs8_len = write_pkcs8(der, len, pkcs8, sizeof pkcs8);
    int n = wc_DerToPem(pkcs8, pkcs8_len, (byte *)pem, sizeof pem - 1, PKCS8_PRIVATEKEY_TYPE);
    assert_true(n > 0);
    pem[n] = '\0';
    snprintf(path, sizeof path, "%s", soft_token_file("key.pem", pem));
    const char *const argv[] = { "softhsm2-util", "--import", path,   "--token", SOFT_TOKEN_LABEL,
                                 "--label",       label,      "--id", id,        "--pin",
                                 SOFT_TOKEN_PIN,  NULL };
    run(argv);
    assert_int_equal(unlink(path), 0);
}

/* Returns the slot of the token SOFT_TOKEN_LABEL. */
static CK_SLOT_ID slot_of_token(CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID slots[8];
    CK_ULONG count = 8;
    assert_int_equal(module->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        assert_int_equal(module->C_GetTokenInfo(slots[i], &info), CKR_OK);
        if (memcmp(info.label, SOFT_TOKEN_LABEL, strlen(SOFT_TOKEN_LABEL)) == 0) {
            return slots[i];
        }
    }
    fail_msg("the token is missing");
    return 0;
}

void soft_token_store_certificate(const uint8_t *der, size_t len, const char *label)
{
    CK_OBJECT_CLASS kind = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    unsigned char subject[] = { 0x30, 0x00 };
    unsigned char pin[] = SOFT_TOKEN_PIN;
    CK_OBJECT_HANDLE object;
    CK_SESSION_HANDLE session;
    CK_ATTRIBUTE a[] = {
        { CKA_CLASS, &kind, sizeof kind },
        { CKA_CERTIFICATE_TYPE, &type, sizeof type },
        { CKA_TOKEN, &yes, sizeof yes },
        { CKA_PRIVATE, &no, sizeof no },
        { CKA_SUBJECT, subject, sizeof subject },
        { CKA_LABEL, (void *)(uintptr_t)label, strlen(label) },
        { CKA_VALUE, (void *)(uintptr_t)der, len },
    };
    CK_FUNCTION_LIST *m = p11_kit_module_load(SOFTHSM_MODULE, 0);
    assert_non_null(m);
    assert_int_equal(p11_kit_module_initialize(m), CKR_OK);
    assert_int_equal(m->C_OpenSession(slot_of_token(m), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
                                      NULL, &session),
                     CKR_OK);
    assert_int_equal(m->C_Login(session, CKU_USER, pin, sizeof pin - 1), CKR_OK);
    assert_int_equal(m->C_CreateObject(session, a, sizeof a / sizeof a[0], &object), CKR_OK);
    assert_int_equal(m->C_CloseSession(session), CKR_OK);
    assert_int_equal(p11_kit_module_finalize(m), CKR_OK);
    p11_kit_module_release(m);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

void soft_token_remove(void)
{
    if (odd_library != NULL) {
        assert_int_equal(dlclose(odd_library), 0);
        odd_library = NULL;
    }
    assert_int_equal(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *soft_token_uri(const char *object, const char *query)
{
    static char uri[1024];
    snprintf(uri, sizeof uri, "pkcs11:token=device%%20token;%s?module-path=%s%s%s", object,
             ODD_MODULE, query[0] != '\0' ? "&" : "", query);
    return uri;
}

odd_pkcs11 *soft_token_odd(void)
{
    if (odd_library == NULL) { /* p11-kit loads the same instance of the module */
        odd_library = dlopen(ODD_MODULE, RTLD_NOW | RTLD_LOCAL);
        assert_non_null(odd_library);
    }
    odd_pkcs11 *odd = dlsym(odd_library, "odd");
    assert_non_null(odd);
    return odd;
}
