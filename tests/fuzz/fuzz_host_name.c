/* Tests a host name against one entry of a certificate's subjectAltName. The first line is the
 * host; then follow the kind of entry ('d' for dNSName, 'i' for iPAddress) and its bytes.
 * OpenSSL must agree on each match, except for underscores, which its wildcards do not match. */

#include "fuzz.h"
#include "wolfssl/x509/host_name.h"

#ifdef FUZZ_WITH_OPENSSL

#include <openssl/x509v3.h>

static GENERAL_NAME *general_name(bool is_ip, fuzz_input entry)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *text = ASN1_STRING_type_new(is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    FUZZ_CHECK(name != NULL && text != NULL);
    FUZZ_CHECK(ASN1_STRING_set(text, entry.ptr, (int)entry.len) == 1);
    GENERAL_NAME_set0_value(name, is_ip ? GEN_IPADD : GEN_DNS, text);
    return name;
}

static X509 *certificate(bool is_ip, fuzz_input entry)
{
    X509 *x = X509_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    FUZZ_CHECK(x != NULL && names != NULL);
    FUZZ_CHECK(sk_GENERAL_NAME_push(names, general_name(is_ip, entry)) > 0);
    FUZZ_CHECK(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1);
    GENERAL_NAMES_free(names);
    return x;
}

static bool openssl_matches(const plat_host *host, bool is_ip, fuzz_input entry)
{
    const unsigned flags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    X509 *x = certificate(is_ip, entry);
    bool matches = host->ip_len > 0 ? X509_check_ip(x, host->ip, host->ip_len, flags) == 1
                                    : X509_check_host(x, host->name, 0, flags, NULL) == 1;
    X509_free(x);
    return matches;
}

static void compare(const plat_host *host, bool is_ip, fuzz_input entry, bool matches)
{
    bool underscore = strchr(host->name, '_') != NULL && memchr(entry.ptr, '*', entry.len) != NULL;
    FUZZ_CHECK(underscore || matches == openssl_matches(host, is_ip, entry));
}

#else

static void compare(const plat_host *host, bool is_ip, fuzz_input entry, bool matches)
{
    (void)host;
    (void)is_ip;
    (void)entry;
    (void)matches;
}

#endif

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == c;
    }
    return n;
}

/* Checks properties that need no comparison with OpenSSL. */
static void check(const plat_host *host, bool is_ip, fuzz_input entry)
{
    FUZZ_CHECK(is_ip == (host->ip_len > 0));
    FUZZ_CHECK(!is_ip || entry.len == host->ip_len);
    FUZZ_CHECK(is_ip || memchr(entry.ptr, '\0', entry.len) == NULL);
    if (!is_ip && entry.ptr[0] == '*') {
        FUZZ_CHECK(entry.len > 2 && count(host->name, '.') >= 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    fuzz_input line;
    plat_host host;
    if (!fuzz_line(&in, &line) || in.len == 0) {
        return 0;
    }
    char *text = fuzz_text(line);
    if (plat_host_parse(&host, text)) {
        const bool is_ip = fuzz_byte(&in) == 'i';
        bool matches = is_ip ? plat_host_matches_ip(&host, in.ptr, in.len)
                             : plat_host_matches_dns(&host, in.ptr, in.len);
        if (matches) {
            check(&host, is_ip, in);
        }
        compare(&host, is_ip, in, matches);
    }
    free(text);
    return 0;
}
