/* Makes the certificates of a small factory, for tests with real servers.
 *
 * usage: device_pki FOLDER NAME SHORT_S
 *
 * Writes into FOLDER: root.crt (to trust devices), server.crt and server.key (of localhost, signed
 * by the root as well), and for the device NAME, each as X.pem (the device's certificate and the
 * intermediate one) and X.key: first and second (valid for a day), short (valid for SHORT_S
 * seconds), expired, early (valid from tomorrow on), stranger (signed by another root), bare
 * (without the intermediate certificate), and other (for another name). */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { DAY_S = 86400 };

typedef struct cert {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} cert;

static const char *folder;
static uint32_t serial = 1;

static void must(int code, const char *what)
{
    if (code < 0) {
        (void)fprintf(stderr, "device_pki: %s: %s\n", what, gnutls_strerror(code));
        exit(1);
    }
}

/* Valid from now + from_s to now + to_s; issuer NULL: the certificate signs itself. */
static cert make(const char *name, const cert *issuer, bool is_ca, int from_s, int to_s)
{
    const time_t now = time(NULL);
    const uint8_t number[4] = { 0x40, 0, (uint8_t)(serial >> 8), (uint8_t)serial };
    cert c;

    serial++;
    must(gnutls_x509_crt_init(&c.crt), name);
    must(gnutls_x509_privkey_init(&c.key), name);
    must(gnutls_x509_privkey_generate(c.key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
         name);
    must(gnutls_x509_crt_set_version(c.crt, 3), name);
    must(gnutls_x509_crt_set_serial(c.crt, number, sizeof number), name);
    must(gnutls_x509_crt_set_activation_time(c.crt, now + from_s), name);
    must(gnutls_x509_crt_set_expiration_time(c.crt, now + to_s), name);
    must(gnutls_x509_crt_set_key(c.crt, c.key), name);
    must(gnutls_x509_crt_set_dn_by_oid(c.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                       (unsigned)strlen(name)),
         name);
    must(gnutls_x509_crt_set_basic_constraints(c.crt, is_ca ? 1 : 0, -1), name);
    must(gnutls_x509_crt_set_key_usage(c.crt, is_ca ? GNUTLS_KEY_KEY_CERT_SIGN
                                                    : GNUTLS_KEY_DIGITAL_SIGNATURE),
         name);
    if (strcmp(name, "localhost") == 0) {
        must(gnutls_x509_crt_set_subject_alt_name(c.crt, GNUTLS_SAN_DNSNAME, name,
                                                  (unsigned)strlen(name), GNUTLS_FSAN_SET),
             name);
    }
    const cert *by = issuer != NULL ? issuer : &c;
    must(gnutls_x509_crt_sign2(c.crt, by->crt, by->key, GNUTLS_DIG_SHA256, 0), name);
    return c;
}

static FILE *create(const char *name, const char *suffix)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    FILE *f = fopen(path, "w");

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    return f;
}

static void put_certificate(FILE *f, const cert *c)
{
    gnutls_datum_t pem = { 0 };

    must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &pem), "PEM");
    (void)fwrite(pem.data, 1, pem.size, f);
    gnutls_free(pem.data);
}

static void put_text(const char *name, const char *extension, gnutls_datum_t *pem)
{
    FILE *f = create(name, extension);

    (void)fwrite(pem->data, 1, pem->size, f);
    gnutls_free(pem->data);
    (void)fclose(f);
}

/* Writes the key twice, in .p8 as PKCS #8, which tokens import. */
static void put_key(const char *name, const cert *c)
{
    gnutls_datum_t pem = { 0 };

    must(gnutls_x509_privkey_export2(c->key, GNUTLS_X509_FMT_PEM, &pem), "PEM");
    put_text(name, "key", &pem);
    must(gnutls_x509_privkey_export2_pkcs8(c->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &pem),
         "PKCS #8");
    put_text(name, "p8", &pem);
}

static void drop(const cert *c)
{
    gnutls_x509_crt_deinit(c->crt);
    gnutls_x509_privkey_deinit(c->key);
}

/* Writes NAME.pem and NAME.key; intermediate may be NULL. */
static void put(const char *name, cert c, const cert *intermediate)
{
    FILE *f = create(name, strcmp(name, "server") == 0 ? "crt" : "pem");

    put_certificate(f, &c);
    if (intermediate != NULL) {
        put_certificate(f, intermediate);
    }
    (void)fclose(f);
    put_key(name, &c);
    drop(&c);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: device_pki FOLDER NAME SHORT_S\n");
        return 2;
    }
    folder = argv[1];
    const char *name = argv[2];
    const cert root = make("Test root", NULL, true, -DAY_S, DAY_S);
    const cert ca = make("Test intermediate", &root, true, -DAY_S, DAY_S);
    const cert foreign = make("Foreign root", NULL, true, -DAY_S, DAY_S);
    FILE *f = create("root", "crt");

    put_certificate(f, &root);
    (void)fclose(f);
    put("server", make("localhost", &root, false, -DAY_S, DAY_S), NULL);
    put("first", make(name, &ca, false, -DAY_S, DAY_S), &ca);
    put("second", make(name, &ca, false, -DAY_S, DAY_S), &ca);
    put("short", make(name, &ca, false, 0, (int)strtol(argv[3], NULL, 10)), &ca);
    put("expired", make(name, &ca, false, -DAY_S, -1), &ca);
    put("early", make(name, &ca, false, DAY_S, 2 * DAY_S), &ca);
    put("stranger", make(name, &foreign, false, -DAY_S, DAY_S), NULL);
    put("bare", make(name, &ca, false, -DAY_S, DAY_S), NULL);
    put("other", make("another-device", &ca, false, -DAY_S, DAY_S), &ca);
    drop(&root);
    drop(&ca);
    drop(&foreign);
    return 0;
}
