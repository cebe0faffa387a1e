/* Runs the cases of x509-limbo (a collection of certificate path validation cases of the C2SP
 * project, in one JSON file) through the judge of server certificates.
 *
 *     x509_limbo FILE [--verbose]
 *
 * It uses the server cases that name a host and need no certificate revocation list. The cases
 * "bettertls::" and "online::" of the complete collection are left out. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "x509_case.h"
#include "x509_tally.h"

/* 2026-06-01, for cases that state no time; so a verdict does not depend on the day of the test. */
#define ANY_TIME_S INT64_C(1780272000)

static const x509_deviation deviations[] = {
    { "pathlen::validation-ignores-pathlen-in-leaf", X509_REFUSED,
      "its key usage does not allow signatures in a handshake" },
    { "rfc5280::aki::leaf-missing-aki", X509_ACCEPTED, "most home-made authorities write none" },
    { "rfc5280::aki::intermediate-missing-aki", X509_ACCEPTED,
      "most home-made authorities write none" },
    { "rfc5280::aki::cross-signed-root-missing-aki", X509_ACCEPTED,
      "most home-made authorities write none" },
    { "rfc5280::nc::permitted-dns-match-noncritical", X509_ACCEPTED,
      "enforced whatever its criticality; webpki:: calls the same chain good" },
    { "rfc5280::nc::invalid-dnsname-leading-period", X509_ACCEPTED,
      "as OpenSSL: covers what is below, which is what its authors mean" },
    { "rfc5280::san::underscore-dns", X509_ACCEPTED,
      "names of hosts on local networks have underscores" },
    { "rfc5280::ski::root-missing-ski", X509_ACCEPTED,
      "home-made authorities without one exist, and a path does not need it" },
    { "rfc5280::ski::intermediate-missing-ski", X509_ACCEPTED,
      "home-made authorities without one exist, and a path does not need it" },
    { "rfc5280::root-non-critical-basic-constraints", X509_ACCEPTED,
      "many private roots have it so" },
    { "rfc5280::ca-as-leaf", X509_REFUSED,
      "its key usage does not allow signatures in a handshake" },
    { "webpki::aki::root-with-aki-missing-keyidentifier", X509_ACCEPTED,
      "the browsers' forum's rule; a root is trusted as it is" },
    { "webpki::aki::root-with-aki-authoritycertissuer", X509_ACCEPTED,
      "the browsers' forum's rule; a root is trusted as it is" },
    { "webpki::aki::root-with-aki-authoritycertserialnumber", X509_ACCEPTED,
      "the browsers' forum's rule; a root is trusted as it is" },
    { "webpki::aki::root-with-aki-all-fields", X509_ACCEPTED,
      "the browsers' forum's rule; a root is trusted as it is" },
    { "webpki::aki::root-with-aki-ski-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; a root is trusted as it is" },
    { "webpki::cn::ipv4-hex-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::ipv4-leading-zeros-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::ipv6-uppercase-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::ipv6-uncompressed-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::ipv6-non-rfc5952-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::punycode-not-in-san", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::utf8-vs-punycode-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::not-in-san", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::cn::case-mismatch", X509_ACCEPTED,
      "the browsers' forum's rule; the common name is not looked at" },
    { "webpki::eku::ee-anyeku", X509_ACCEPTED, "the browsers' forum's rule; RFC 5280 allows it" },
    { "webpki::eku::ee-critical-eku", X509_ACCEPTED,
      "the browsers' forum's rule; RFC 5280 allows it" },
    { "webpki::eku::ee-without-eku", X509_ACCEPTED,
      "the browsers' forum's rule; RFC 5280 allows it" },
    { "webpki::eku::root-has-eku", X509_ACCEPTED,
      "the browsers' forum's rule; RFC 5280 allows it" },
    { "webpki::san::public-suffix-multi-label-wildcard-san", X509_ACCEPTED,
      "there is no list of public suffixes on a device" },
    { "webpki::san::public-suffix-private-namespace-wildcard-san", X509_ACCEPTED,
      "there is no list of public suffixes on a device" },
    { "webpki::san::san-critical-with-nonempty-subject", X509_ACCEPTED,
      "the browsers' forum's rule; RFC 5280 allows it" },
    { "webpki::forbidden-rsa-not-divisible-by-8-in-root", X509_ACCEPTED,
      "the browsers' forum's rule; 2052 bits are not weak" },
    { "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf", X509_ACCEPTED,
      "the browsers' forum's rule; 2052 bits are not weak" },
    { "webpki::ee-basicconstraints-ca", X509_ACCEPTED,
      "the browsers' forum's rule; RFC 5280 allows it" },
    { "rfc5280::serial::too-long", X509_ACCEPTED,
      "RFC 5280 section 4.1.2.2: to be met with grace" },
    { "rfc5280::serial::zero", X509_ACCEPTED, "RFC 5280 section 4.1.2.2: to be met with grace" },
};

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    size_t cap = (size_t)1 << 20;
    size_t len = 0;
    char *text = malloc(cap);
    while (text != NULL) {
        len += fread(text + len, 1, cap - len - 1, f);
        if (len < cap - 1) {
            text[len] = '\0';
            break;
        }
        cap *= 2;
        char *more = realloc(text, cap);
        if (more == NULL) {
            free(text);
        }
        text = more;
    }
    (void)fclose(f);
    return text;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text != NULL ? text : "";
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_for_us(const cJSON *testcase)
{
    const char *id = text_of(testcase, "id");
    return strcmp(text_of(testcase, "validation_kind"), "SERVER") == 0 &&
           cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(testcase, "expected_peer_name")) &&
           cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(testcase, "crls")) == 0 &&
           !starts_with(id, "bettertls::") && !starts_with(id, "online::");
}

/* Parses a time such as "2024-03-01T00:00:00.999+00:00"; fractions are dropped, since clocks
 * count whole seconds. */
static int64_t time_of(const cJSON *testcase)
{
    const char *text = text_of(testcase, "validation_time");
    struct tm tm = { 0 };
    if (text[0] == '\0') {
        return ANY_TIME_S;
    }
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (end == NULL || strcmp(end + strcspn(end, "+"), "+00:00") != 0) {
        fprintf(stderr, "%s: a time that cannot be read\n", text);
        exit(2);
    }
    return (int64_t)timegm(&tm);
}

static plat_roots roots_of(const cJSON *testcase)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(testcase, "trusted_certs");
    const cJSON *pem;
    plat_roots roots = { 0 };
    size_t len = 0;
    cJSON_ArrayForEach(pem, list)
    {
        len += strlen(cJSON_GetStringValue(pem));
    }
    char *all = calloc(1, len + 1);
    if (all == NULL) {
        exit(2);
    }
    cJSON_ArrayForEach(pem, list)
    {
        strcat(all, cJSON_GetStringValue(pem));
    }
    /* If no root can be used, no certificate is trusted. */
    const char *why;
    (void)plat_roots_add(&roots, all, len, &why);
    free(all);
    return roots;
}

static void run(x509_tally *tally, const cJSON *testcase)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(testcase, "expected_peer_name");
    const cJSON *depth = cJSON_GetObjectItemCaseSensitive(testcase, "max_chain_depth");
    const cJSON *pem;
    x509_case c = { .roots = roots_of(testcase),
                    .host = text_of(name, "value"),
                    .now_s = time_of(testcase),
                    .has_max_path_len = cJSON_IsNumber(depth),
                    .max_path_len = cJSON_IsNumber(depth) ? (uint32_t)depth->valueint : 0 };
    x509_case_add_pem(&c, text_of(testcase, "peer_certificate"));
    cJSON_ArrayForEach(pem, cJSON_GetObjectItemCaseSensitive(testcase, "untrusted_intermediates"))
    {
        x509_case_add_pem(&c, cJSON_GetStringValue(pem));
    }
    bool good = strcmp(text_of(testcase, "expected_result"), "SUCCESS") == 0;
    plat_chain_verdict verdict;
    plat_result r = x509_case_judge(&c, &verdict);
    x509_count(tally, text_of(testcase, "id"), good ? X509_ACCEPTED : X509_REFUSED,
               r == PLAT_OK ? X509_ACCEPTED : X509_REFUSED, verdict.why);
    x509_case_free(&c);
}

static int run_all(const cJSON *limbo, bool verbose)
{
    x509_tally tally = { .table = deviations,
                         .table_len = sizeof deviations / sizeof deviations[0],
                         .verbose = verbose };
    const cJSON *testcase;
    cJSON_ArrayForEach(testcase, cJSON_GetObjectItemCaseSensitive(limbo, "testcases"))
    {
        if (is_for_us(testcase)) {
            run(&tally, testcase);
        }
    }
    const judge_work most = x509_case_most_work();
    printf("the most for a case: %zu signature checks, %zu elements of DER\n", most.signatures,
           most.elements);
    return x509_finish(&tally, "x509-limbo");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [--verbose]\n", argv[0]);
        return 2;
    }
    char *text = read_file(argv[1]);
    if (text == NULL) {
        printf("skipped: there is no %s\n", argv[1]);
        return X509_SKIPPED;
    }
    cJSON *limbo = cJSON_Parse(text);
    free(text);
    if (limbo == NULL) {
        fprintf(stderr, "%s is not JSON\n", argv[1]);
        return 2;
    }
    int status = run_all(limbo, argc > 2 && strcmp(argv[2], "--verbose") == 0);
    cJSON_Delete(limbo);
    return status;
}
