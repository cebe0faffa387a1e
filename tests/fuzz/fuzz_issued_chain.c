/* Tests how the certificates of an answer to a certificate request are read. The input is the JSON
 * array. A chain that was read consists of whole SEQUENCEs of DER; otherwise there is a text. */

#include "fuzz.h"
#include "hub/issued_chain.h"
#include "wolfssl/crypto/crypto.h"
#include "wolfssl/x509/der.h"

static void check_chain(const uint8_t *bytes, size_t len)
{
    plat_der in = { bytes, len };
    unsigned count = 0;
    while (in.len > 0) {
        plat_der content;
        /* Lengths that are not the shortest form are refused when an identity is made. */
        if (!plat_der_take(&in, PLAT_DER_SEQUENCE, &content)) {
            return;
        }
        count++;
    }
    FUZZ_CHECK(count >= 1 && count <= ISSUED_CHAIN_CERTIFICATES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t caps[] = { 0, 1, 50, 1000, ISSUED_CHAIN_ROOM };
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
        size_t len = 1;
        iothub_error err = { IOTHUB_OK, "" };
        uint8_t *out =
            /* So that a sanitizer notices each byte that is written behind it. */
            malloc(caps[i] > 0 ? caps[i] : 1);
        FUZZ_CHECK(out != NULL);
        iothub_result r = issued_chain_read(mqc_span_of(data, size), &plat_wolfssl_crypto, out,
                                            caps[i], &len, &err);
        FUZZ_CHECK(r == IOTHUB_OK || r == IOTHUB_ERR_PROTOCOL || r == IOTHUB_ERR_TOO_BIG);
        FUZZ_CHECK((r == IOTHUB_OK) == (len > 0) && len <= caps[i]);
        FUZZ_CHECK((r == IOTHUB_OK) == (err.text[0] == '\0'));
        if (r == IOTHUB_OK) {
            check_chain(out, len);
        }
        free(out);
    }
    return 0;
}
