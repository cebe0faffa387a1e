/* Runs NIST's Public Key Interoperability Test Suite (PKITS) through the judge of server
 * certificates, except for the cases that need revocation lists or policies.
 *
 *     x509_pkits DIRECTORY [--verbose]
 *
 * The numbers are those of the suite's description, "Public Key Interoperability Test Suite
 * Certification Path Validation". Its certificates contain no host name, so only the path is
 * judged. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x509_case.h"
#include "x509_tally.h"

/* 2026-06-01; the certificates of the suite are valid from 2010 to 2030. */
#define JUDGED_AT_S INT64_C(1780272000)

enum { CAS_MAX = 4 };

typedef struct pkits_test {
    const char *number;
    x509_verdict expected;
    const char *end;
    /* The CAs from the issuer of `end` up to the one below the trust anchor. */
    const char *cas[CAS_MAX];
} pkits_test;

static const pkits_test tests[] = {
    /* 4.1: signatures */
    { "4.1.1", X509_ACCEPTED, "ValidCertificatePathTest1EE", { "GoodCACert" } },
    { "4.1.2", X509_REFUSED, "InvalidCASignatureTest2EE", { "BadSignedCACert" } },
    { "4.1.3", X509_REFUSED, "InvalidEESignatureTest3EE", { "GoodCACert" } },
    { "4.1.4", X509_ACCEPTED, "ValidDSASignaturesTest4EE", { "DSACACert" } },
    { "4.1.5",
      X509_ACCEPTED,
      "ValidDSAParameterInheritanceTest5EE",
      { "DSAParametersInheritedCACert", "DSACACert" } },
    { "4.1.6", X509_REFUSED, "InvalidDSASignatureTest6EE", { "DSACACert" } },
    /* 4.2: validity */
    { "4.2.1", X509_REFUSED, "InvalidCAnotBeforeDateTest1EE", { "BadnotBeforeDateCACert" } },
    { "4.2.2", X509_REFUSED, "InvalidEEnotBeforeDateTest2EE", { "GoodCACert" } },
    { "4.2.3", X509_ACCEPTED, "Validpre2000UTCnotBeforeDateTest3EE", { "GoodCACert" } },
    { "4.2.4", X509_ACCEPTED, "ValidGeneralizedTimenotBeforeDateTest4EE", { "GoodCACert" } },
    { "4.2.5", X509_REFUSED, "InvalidCAnotAfterDateTest5EE", { "BadnotAfterDateCACert" } },
    { "4.2.6", X509_REFUSED, "InvalidEEnotAfterDateTest6EE", { "GoodCACert" } },
    { "4.2.7", X509_REFUSED, "Invalidpre2000UTCEEnotAfterDateTest7EE", { "GoodCACert" } },
    { "4.2.8", X509_ACCEPTED, "ValidGeneralizedTimenotAfterDateTest8EE", { "GoodCACert" } },
    /* Section 4.3: chains of names. */
    { "4.3.1", X509_REFUSED, "InvalidNameChainingTest1EE", { "GoodCACert" } },
    { "4.3.2", X509_REFUSED, "InvalidNameChainingOrderTest2EE", { "NameOrderingCACert" } },
    { "4.3.3", X509_ACCEPTED, "ValidNameChainingWhitespaceTest3EE", { "GoodCACert" } },
    { "4.3.4", X509_ACCEPTED, "ValidNameChainingWhitespaceTest4EE", { "GoodCACert" } },
    { "4.3.5", X509_ACCEPTED, "ValidNameChainingCapitalizationTest5EE", { "GoodCACert" } },
    { "4.3.6", X509_ACCEPTED, "ValidNameUIDsTest6EE", { "UIDCACert" } },
    { "4.3.7",
      X509_ACCEPTED,
      "ValidRFC3280MandatoryAttributeTypesTest7EE",
      { "RFC3280MandatoryAttributeTypesCACert" } },
    { "4.3.8",
      X509_ACCEPTED,
      "ValidRFC3280OptionalAttributeTypesTest8EE",
      { "RFC3280OptionalAttributeTypesCACert" } },
    { "4.3.9",
      X509_ACCEPTED,
      "ValidUTF8StringEncodedNamesTest9EE",
      { "UTF8StringEncodedNamesCACert" } },
    { "4.3.10",
      X509_ACCEPTED,
      "ValidRolloverfromPrintableStringtoUTF8StringTest10EE",
      { "RolloverfromPrintableStringtoUTF8StringCACert" } },
    { "4.3.11",
      X509_ACCEPTED,
      "ValidUTF8StringCaseInsensitiveMatchTest11EE",
      { "UTF8StringCaseInsensitiveMatchCACert" } },
    /* Section 4.5: self-issued certificates. */
    { "4.5.1",
      X509_ACCEPTED,
      "ValidBasicSelfIssuedOldWithNewTest1EE",
      { "BasicSelfIssuedNewKeyOldWithNewCACert", "BasicSelfIssuedNewKeyCACert" } },
    { "4.5.3",
      X509_ACCEPTED,
      "ValidBasicSelfIssuedNewWithOldTest3EE",
      { "BasicSelfIssuedOldKeyNewWithOldCACert", "BasicSelfIssuedOldKeyCACert" } },
    { "4.5.4",
      X509_ACCEPTED,
      "ValidBasicSelfIssuedNewWithOldTest4EE",
      { "BasicSelfIssuedOldKeyCACert" } },
    { "4.5.6",
      X509_ACCEPTED,
      "ValidBasicSelfIssuedCRLSigningKeyTest6EE",
      { "BasicSelfIssuedCRLSigningKeyCACert" } },
    { "4.5.8",
      X509_REFUSED,
      "InvalidBasicSelfIssuedCRLSigningKeyTest8EE",
      { "BasicSelfIssuedCRLSigningKeyCRLCert", "BasicSelfIssuedCRLSigningKeyCACert" } },
    /* Section 4.6: basic constraints. */
    { "4.6.1",
      X509_REFUSED,
      "InvalidMissingbasicConstraintsTest1EE",
      { "MissingbasicConstraintsCACert" } },
    { "4.6.2", X509_REFUSED, "InvalidcAFalseTest2EE", { "basicConstraintsCriticalcAFalseCACert" } },
    { "4.6.3",
      X509_REFUSED,
      "InvalidcAFalseTest3EE",
      { "basicConstraintsNotCriticalcAFalseCACert" } },
    { "4.6.4",
      X509_ACCEPTED,
      "ValidbasicConstraintsNotCriticalTest4EE",
      { "basicConstraintsNotCriticalCACert" } },
    { "4.6.5",
      X509_REFUSED,
      "InvalidpathLenConstraintTest5EE",
      { "pathLenConstraint0subCACert", "pathLenConstraint0CACert" } },
    { "4.6.6",
      X509_REFUSED,
      "InvalidpathLenConstraintTest6EE",
      { "pathLenConstraint0subCACert", "pathLenConstraint0CACert" } },
    { "4.6.7", X509_ACCEPTED, "ValidpathLenConstraintTest7EE", { "pathLenConstraint0CACert" } },
    { "4.6.8", X509_ACCEPTED, "ValidpathLenConstraintTest8EE", { "pathLenConstraint0CACert" } },
    { "4.6.9",
      X509_REFUSED,
      "InvalidpathLenConstraintTest9EE",
      { "pathLenConstraint6subsubCA00Cert", "pathLenConstraint6subCA0Cert",
        "pathLenConstraint6CACert" } },
    { "4.6.10",
      X509_REFUSED,
      "InvalidpathLenConstraintTest10EE",
      { "pathLenConstraint6subsubCA00Cert", "pathLenConstraint6subCA0Cert",
        "pathLenConstraint6CACert" } },
    { "4.6.11",
      X509_REFUSED,
      "InvalidpathLenConstraintTest11EE",
      { "pathLenConstraint6subsubsubCA11XCert", "pathLenConstraint6subsubCA11Cert",
        "pathLenConstraint6subCA1Cert", "pathLenConstraint6CACert" } },
    { "4.6.12",
      X509_REFUSED,
      "InvalidpathLenConstraintTest12EE",
      { "pathLenConstraint6subsubsubCA11XCert", "pathLenConstraint6subsubCA11Cert",
        "pathLenConstraint6subCA1Cert", "pathLenConstraint6CACert" } },
    { "4.6.13",
      X509_ACCEPTED,
      "ValidpathLenConstraintTest13EE",
      { "pathLenConstraint6subsubsubCA41XCert", "pathLenConstraint6subsubCA41Cert",
        "pathLenConstraint6subCA4Cert", "pathLenConstraint6CACert" } },
    { "4.6.14",
      X509_ACCEPTED,
      "ValidpathLenConstraintTest14EE",
      { "pathLenConstraint6subsubsubCA41XCert", "pathLenConstraint6subsubCA41Cert",
        "pathLenConstraint6subCA4Cert", "pathLenConstraint6CACert" } },
    { "4.6.15",
      X509_ACCEPTED,
      "ValidSelfIssuedpathLenConstraintTest15EE",
      { "pathLenConstraint0SelfIssuedCACert", "pathLenConstraint0CACert" } },
    { "4.6.16",
      X509_REFUSED,
      "InvalidSelfIssuedpathLenConstraintTest16EE",
      { "pathLenConstraint0subCA2Cert", "pathLenConstraint0SelfIssuedCACert",
        "pathLenConstraint0CACert" } },
    { "4.6.17",
      X509_ACCEPTED,
      "ValidSelfIssuedpathLenConstraintTest17EE",
      { "pathLenConstraint1SelfIssuedsubCACert", "pathLenConstraint1subCACert",
        "pathLenConstraint1SelfIssuedCACert", "pathLenConstraint1CACert" } },
    /* Section 4.7: key usage. */
    { "4.7.1",
      X509_REFUSED,
      "InvalidkeyUsageCriticalkeyCertSignFalseTest1EE",
      { "keyUsageCriticalkeyCertSignFalseCACert" } },
    { "4.7.2",
      X509_REFUSED,
      "InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE",
      { "keyUsageNotCriticalkeyCertSignFalseCACert" } },
    { "4.7.3", X509_ACCEPTED, "ValidkeyUsageNotCriticalTest3EE", { "keyUsageNotCriticalCACert" } },
    /* Section 4.13: name constraints. */
    { "4.13.1", X509_ACCEPTED, "ValidDNnameConstraintsTest1EE", { "nameConstraintsDN1CACert" } },
    { "4.13.2", X509_REFUSED, "InvalidDNnameConstraintsTest2EE", { "nameConstraintsDN1CACert" } },
    { "4.13.3", X509_REFUSED, "InvalidDNnameConstraintsTest3EE", { "nameConstraintsDN1CACert" } },
    { "4.13.4", X509_ACCEPTED, "ValidDNnameConstraintsTest4EE", { "nameConstraintsDN1CACert" } },
    { "4.13.5", X509_ACCEPTED, "ValidDNnameConstraintsTest5EE", { "nameConstraintsDN2CACert" } },
    { "4.13.6", X509_ACCEPTED, "ValidDNnameConstraintsTest6EE", { "nameConstraintsDN3CACert" } },
    { "4.13.7", X509_REFUSED, "InvalidDNnameConstraintsTest7EE", { "nameConstraintsDN3CACert" } },
    { "4.13.8", X509_REFUSED, "InvalidDNnameConstraintsTest8EE", { "nameConstraintsDN4CACert" } },
    { "4.13.9", X509_REFUSED, "InvalidDNnameConstraintsTest9EE", { "nameConstraintsDN4CACert" } },
    { "4.13.10", X509_REFUSED, "InvalidDNnameConstraintsTest10EE", { "nameConstraintsDN5CACert" } },
    { "4.13.11", X509_ACCEPTED, "ValidDNnameConstraintsTest11EE", { "nameConstraintsDN5CACert" } },
    { "4.13.12",
      X509_REFUSED,
      "InvalidDNnameConstraintsTest12EE",
      { "nameConstraintsDN1subCA1Cert", "nameConstraintsDN1CACert" } },
    { "4.13.13",
      X509_REFUSED,
      "InvalidDNnameConstraintsTest13EE",
      { "nameConstraintsDN1subCA2Cert", "nameConstraintsDN1CACert" } },
    { "4.13.14",
      X509_ACCEPTED,
      "ValidDNnameConstraintsTest14EE",
      { "nameConstraintsDN1subCA2Cert", "nameConstraintsDN1CACert" } },
    { "4.13.15",
      X509_REFUSED,
      "InvalidDNnameConstraintsTest15EE",
      { "nameConstraintsDN3subCA1Cert", "nameConstraintsDN3CACert" } },
    { "4.13.16",
      X509_REFUSED,
      "InvalidDNnameConstraintsTest16EE",
      { "nameConstraintsDN3subCA1Cert", "nameConstraintsDN3CACert" } },
    { "4.13.17",
      X509_REFUSED,
      "InvalidDNnameConstraintsTest17EE",
      { "nameConstraintsDN3subCA2Cert", "nameConstraintsDN3CACert" } },
    { "4.13.18",
      X509_ACCEPTED,
      "ValidDNnameConstraintsTest18EE",
      { "nameConstraintsDN3subCA2Cert", "nameConstraintsDN3CACert" } },
    { "4.13.19",
      X509_ACCEPTED,
      "ValidDNnameConstraintsTest19EE",
      { "nameConstraintsDN1SelfIssuedCACert", "nameConstraintsDN1CACert" } },
    { "4.13.20", X509_REFUSED, "InvalidDNnameConstraintsTest20EE", { "nameConstraintsDN1CACert" } },
    { "4.13.21",
      X509_ACCEPTED,
      "ValidRFC822nameConstraintsTest21EE",
      { "nameConstraintsRFC822CA1Cert" } },
    { "4.13.22",
      X509_REFUSED,
      "InvalidRFC822nameConstraintsTest22EE",
      { "nameConstraintsRFC822CA1Cert" } },
    { "4.13.23",
      X509_ACCEPTED,
      "ValidRFC822nameConstraintsTest23EE",
      { "nameConstraintsRFC822CA2Cert" } },
    { "4.13.24",
      X509_REFUSED,
      "InvalidRFC822nameConstraintsTest24EE",
      { "nameConstraintsRFC822CA2Cert" } },
    { "4.13.25",
      X509_ACCEPTED,
      "ValidRFC822nameConstraintsTest25EE",
      { "nameConstraintsRFC822CA3Cert" } },
    { "4.13.26",
      X509_REFUSED,
      "InvalidRFC822nameConstraintsTest26EE",
      { "nameConstraintsRFC822CA3Cert" } },
    { "4.13.27",
      X509_ACCEPTED,
      "ValidDNandRFC822nameConstraintsTest27EE",
      { "nameConstraintsDN1subCA3Cert", "nameConstraintsDN1CACert" } },
    { "4.13.28",
      X509_REFUSED,
      "InvalidDNandRFC822nameConstraintsTest28EE",
      { "nameConstraintsDN1subCA3Cert", "nameConstraintsDN1CACert" } },
    { "4.13.29",
      X509_REFUSED,
      "InvalidDNandRFC822nameConstraintsTest29EE",
      { "nameConstraintsDN1subCA3Cert", "nameConstraintsDN1CACert" } },
    { "4.13.30",
      X509_ACCEPTED,
      "ValidDNSnameConstraintsTest30EE",
      { "nameConstraintsDNS1CACert" } },
    { "4.13.31",
      X509_REFUSED,
      "InvalidDNSnameConstraintsTest31EE",
      { "nameConstraintsDNS1CACert" } },
    { "4.13.32",
      X509_ACCEPTED,
      "ValidDNSnameConstraintsTest32EE",
      { "nameConstraintsDNS2CACert" } },
    { "4.13.33",
      X509_REFUSED,
      "InvalidDNSnameConstraintsTest33EE",
      { "nameConstraintsDNS2CACert" } },
    { "4.13.34",
      X509_ACCEPTED,
      "ValidURInameConstraintsTest34EE",
      { "nameConstraintsURI1CACert" } },
    { "4.13.35",
      X509_REFUSED,
      "InvalidURInameConstraintsTest35EE",
      { "nameConstraintsURI1CACert" } },
    { "4.13.36",
      X509_ACCEPTED,
      "ValidURInameConstraintsTest36EE",
      { "nameConstraintsURI2CACert" } },
    { "4.13.37",
      X509_REFUSED,
      "InvalidURInameConstraintsTest37EE",
      { "nameConstraintsURI2CACert" } },
    { "4.13.38",
      X509_REFUSED,
      "InvalidDNSnameConstraintsTest38EE",
      { "nameConstraintsDNS1CACert" } },
    /* Section 4.16: private extensions. */
    { "4.16.1", X509_ACCEPTED, "ValidUnknownNotCriticalCertificateExtensionTest1EE", { NULL } },
    { "4.16.2", X509_REFUSED, "InvalidUnknownCriticalCertificateExtensionTest2EE", { NULL } },
};

static const x509_deviation deviations[] = {
    { "4.1.4", X509_REFUSED, "DSA is not supported" },
    { "4.1.5", X509_REFUSED, "DSA is not supported" },
};

static DerBuffer *read_certificate(const char *directory, const char *name)
{
    char path[4096];
    byte bytes[8192];
    DerBuffer *der = NULL;
    (void)snprintf(path, sizeof path, "%s/certs/%s.crt", directory, name);
    FILE *f = fopen(path, "rb");
    size_t len = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f != NULL) {
        (void)fclose(f);
    }
    if (len == 0 || len == sizeof bytes || wc_AllocDer(&der, (word32)len, CERT_TYPE, NULL) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    memcpy(der->buffer, bytes, len);
    return der;
}

static plat_roots trust_anchor(const char *directory)
{
    DerBuffer *der = read_certificate(directory, "TrustAnchorRootCertificate");
    byte pem[8192];
    plat_roots roots = { 0 };
    const char *why;
    int len = wc_DerToPem(der->buffer, der->length, pem, sizeof pem, CERT_TYPE);
    if (len <= 0 || plat_roots_add(&roots, pem, (size_t)len, &why) != PLAT_OK) {
        fprintf(stderr, "the trust anchor cannot be used\n");
        exit(2);
    }
    wc_FreeDer(&der);
    return roots;
}

static void run(x509_tally *tally, const char *directory, const pkits_test *t)
{
    x509_case c = { .roots = trust_anchor(directory), .now_s = JUDGED_AT_S };
    plat_chain_verdict verdict;
    x509_case_add(&c, read_certificate(directory, t->end));
    for (size_t i = 0; i < CAS_MAX && t->cas[i] != NULL; i++) {
        x509_case_add(&c, read_certificate(directory, t->cas[i]));
    }
    plat_result r = x509_case_judge(&c, &verdict);
    x509_count(tally, t->number, t->expected, r == PLAT_OK ? X509_ACCEPTED : X509_REFUSED,
               verdict.why);
    x509_case_free(&c);
}

static bool is_there(const char *directory)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/certs/TrustAnchorRootCertificate.crt", directory);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    (void)fclose(f);
    return true;
}

int main(int argc, char **argv)
{
    x509_tally tally = { .table = deviations,
                         .table_len = sizeof deviations / sizeof deviations[0],
                         .verbose = argc > 2 && strcmp(argv[2], "--verbose") == 0 };
    if (argc < 2) {
        fprintf(stderr, "usage: %s DIRECTORY [--verbose]\n", argv[0]);
        return 2;
    }
    if (!is_there(argv[1])) {
        printf("skipped: PKITS is not in %s (Debian: python3-cryptography-vectors)\n", argv[1]);
        return X509_SKIPPED;
    }
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        run(&tally, argv[1], &tests[i]);
    }
    return x509_finish(&tally, "PKITS");
}
