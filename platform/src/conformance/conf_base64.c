#include <string.h>

#include "conformance/conf_groups.h"

#define DECODE "plat_crypto.base64_decode"
#define ENCODE "plat_crypto.base64_encode"

static const struct pair {
    const char *bytes;
    const char *text;
} pairs[] = {
    { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "\xfb\xff\xbf", "+/+/" },
};

static const struct refusal {
    const char *text;
    const char *rule;
} refusals[] = {
    { "Zm9v\n", "white space is refused with PLAT_ERR_ENCODING" },
    { "Zm 9", "white space is refused with PLAT_ERR_ENCODING, also inside" },
    { "Zm8", "missing padding is refused with PLAT_ERR_ENCODING" },
    { "-_-_", "the alphabet of URLs is refused with PLAT_ERR_ENCODING" },
    { "Zg==Zg==", "bytes behind the padding are refused with PLAT_ERR_ENCODING" },
    { "Z*9v", "other characters are refused with PLAT_ERR_ENCODING" },
};

static bool decodes(const struct conf_run *run, const struct pair *p)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    const size_t len = strlen(p->bytes);
    size_t n = CONF_BYTES;

    memset(run->in, CONF_CANARY, 8);
    return crypto->base64_decode(crypto, p->text, strlen(p->text), run->in, len, &n) == PLAT_OK &&
           n == len && memcmp(run->in, p->bytes, len) == 0 && run->in[len] == CONF_CANARY;
}

static bool encodes(const struct conf_run *run, const struct pair *p)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    const size_t len = strlen(p->text);
    char *out = (char *)run->in;
    size_t n = CONF_BYTES;

    memset(run->in, CONF_CANARY, 8);
    return crypto->base64_encode(crypto, p->bytes, strlen(p->bytes), out, len, &n) == PLAT_OK &&
           n == len && memcmp(out, p->text, len) == 0 && run->in[len] == CONF_CANARY;
}

/* A long text is one line. */
static bool encodes_one_line(const struct conf_run *run)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    size_t n;

    memset(run->out, 0, 300);
    if (crypto->base64_encode(crypto, run->out, 300, (char *)run->in, 400, &n) != PLAT_OK ||
        n != 400) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (run->in[i] != 'A') {
            return false;
        }
    }
    return true;
}

void conf_base64(struct conf_run *run)
{
    const plat_crypto *crypto = run->c->platform->crypto;
    bool decoded = true;
    bool encoded = true;
    size_t n;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        decoded = decoded && decodes(run, &pairs[i]);
        encoded = encoded && encodes(run, &pairs[i]);
    }
    conf_run_rule(run, decoded, DECODE, "it decodes the examples of RFC 4648, into exact room");
    conf_run_rule(run, encoded, ENCODE, "it encodes the examples of RFC 4648, without a NUL");
    conf_run_rule(run, encodes_one_line(run), ENCODE, "its result is one line");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        conf_run_rule(run,
                      crypto->base64_decode(crypto, r->text, strlen(r->text), run->in, CONF_BYTES,
                                            &n) == PLAT_ERR_ENCODING,
                      DECODE, r->rule);
    }
    memset(run->in, CONF_CANARY, 8);
    conf_run_rule(run,
                  crypto->base64_decode(crypto, "Zm9v", 4, run->in, 2, &n) == PLAT_ERR_NO_SPACE &&
                      run->in[2] == CONF_CANARY,
                  DECODE, "too little room is PLAT_ERR_NO_SPACE");
    memset(run->in, CONF_CANARY, 8);
    conf_run_rule(run,
                  crypto->base64_encode(crypto, "foo", 3, (char *)run->in, 3, &n) ==
                          PLAT_ERR_NO_SPACE &&
                      run->in[3] == CONF_CANARY,
                  ENCODE, "too little room is PLAT_ERR_NO_SPACE");
}
