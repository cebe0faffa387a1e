#include "front/envelope.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define NUMBER_DIGITS 20

char *hub_envelope_secret(void)
{
    uint8_t bytes[HUB_ENVELOPE_SECRET_LEN / 2];
    char *text = hub_calloc(1, HUB_ENVELOPE_SECRET_LEN + 1);

    hub_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return text;
}

void hub_envelope_write(hub_text *out, const char *secret, const hub_envelope *e)
{
    hub_text_printf(out, "%s %" PRIu64 " ", secret, e->number);
    hub_text_add(out, e->peer, e->peer_len);
    hub_text_str(out, " ");
    hub_text_add(out, e->chain_len > 0 ? e->chain : "-", e->chain_len > 0 ? e->chain_len : 1);
    hub_text_str(out, e->password != NULL ? " +" : " -");
    if (e->password != NULL) {
        hub_text_add(out, e->password, e->password_len);
    }
}

/* Reads the next word, after which there must be a space. */
static bool take_word(const char **text, const char **word, size_t *len)
{
    *word = *text;
    *len = strcspn(*text, " ");
    if (*len == 0 || (*text)[*len] != ' ') {
        return false;
    }
    *text += *len + 1;
    return true;
}

static bool take_number(const char **text, uint64_t *number)
{
    const char *word;
    size_t len;

    if (!take_word(text, &word, &len) || len > NUMBER_DIGITS || strspn(word, "0123456789") != len) {
        return false;
    }
    *number = strtoull(word, NULL, 10);
    return true;
}

static bool take_secret(const char **text, const char *secret)
{
    if (strlen(*text) <= HUB_ENVELOPE_SECRET_LEN || (*text)[HUB_ENVELOPE_SECRET_LEN] != ' ' ||
        !hub_same_bytes(*text, secret, HUB_ENVELOPE_SECRET_LEN)) {
        return false;
    }
    *text += HUB_ENVELOPE_SECRET_LEN + 1;
    return true;
}

bool hub_envelope_read(hub_envelope *out, const char *text, const char *secret)
{
    *out = (hub_envelope){ 0 };
    if (!take_secret(&text, secret) || !take_number(&text, &out->number) ||
        !take_word(&text, &out->peer, &out->peer_len) ||
        !take_word(&text, &out->chain, &out->chain_len)) {
        return false;
    }
    if (out->chain_len == 1 && out->chain[0] == '-') {
        out->chain_len = 0;
    }
    if (text[0] == '+') {
        out->password = text + 1;
        out->password_len = strlen(out->password);
        return true;
    }
    return strcmp(text, "-") == 0;
}
