#include "state/seal.h"

#include <stdint.h>
#include <string.h>

#define HEAD     ",\"check\":\""
#define HEAD_LEN (sizeof HEAD - 1)
#define TAIL     "\"}"
#define TAIL_LEN (sizeof TAIL - 1)
/* Length of the text that replaces the last '}'. */
#define SEAL_LEN (HEAD_LEN + HUB_SUM_LEN + TAIL_LEN)

#define WORD_BYTES 8

/* The byte order is the same on every machine, so that a state directory can be moved. */
static uint64_t read_word(const uint8_t *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < WORD_BYTES; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

/* Both halves of the step are invertible, so a single changed word always changes the sum. */
static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ (sum >> 32);
}

static uint64_t checksum(const uint8_t *bytes, size_t len)
{
    uint8_t rest[WORD_BYTES] = { 0 };
    uint64_t sum = add_word(0, len); /* with the length, zeros at the end differ from padding */

    while (len >= WORD_BYTES) {
        sum = add_word(sum, read_word(bytes));
        bytes += WORD_BYTES;
        len -= WORD_BYTES;
    }
    if (len > 0) {
        memcpy(rest, bytes, len);
    }
    return add_word(sum, read_word(rest));
}

static void sum_text(const void *data, size_t len, char out[HUB_SUM_LEN])
{
    uint64_t sum = checksum(data, len);

    for (size_t i = HUB_SUM_LEN; i > 0; i--) {
        out[i - 1] = "0123456789abcdef"[sum & 0xF];
        sum >>= 4;
    }
}

void hub_sum_add(hub_text *out, const void *data, size_t len)
{
    char text[HUB_SUM_LEN];

    sum_text(data, len, text);
    hub_text_add(out, text, sizeof text);
}

static void seal_text(const char *body, size_t len, char out[SEAL_LEN])
{
    memcpy(out, HEAD, HEAD_LEN);
    sum_text(body, len, out + HEAD_LEN);
    memcpy(out + HEAD_LEN + HUB_SUM_LEN, TAIL, TAIL_LEN);
}

void hub_seal(hub_text *json)
{
    char seal[SEAL_LEN];

    hub_text_cut(json, json->len - 1); /* the '}' */
    seal_text(json->p, json->len, seal);
    hub_text_add(json, seal, sizeof seal);
}

bool hub_unseal(char *text, size_t *len)
{
    char expected[SEAL_LEN];

    if (*len < SEAL_LEN + 1) {
        return true;
    }
    size_t body = *len - SEAL_LEN;
    if (memcmp(text + body, HEAD, HEAD_LEN) != 0) {
        return true;
    }
    seal_text(text, body, expected);
    if (memcmp(text + body, expected, SEAL_LEN) != 0) {
        return false;
    }
    text[body] = '}';
    text[body + 1] = '\0';
    *len = body + 1;
    return true;
}
