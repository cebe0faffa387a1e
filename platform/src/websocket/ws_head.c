#include "websocket/ws_head.h"

#include <string.h>

/* Works like tolower, which depends on the locale, for ASCII only. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\0' || lower(text[i]) != word[i]) {
            return false;
        }
    }
    return word[len] == '\0';
}

size_t plat_ws_token_len(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] > ' ' && text[n] <= '~' &&
           strchr("\"(),/:;<=>?@[\\]{}", text[n]) == NULL) {
        n++;
    }
    return n;
}

size_t plat_ws_line_len(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r') {
            if (i + 1 == len) {
                return PLAT_WS_INCOMPLETE;
            }
            return bytes[i + 1] == '\n' ? i : PLAT_WS_MALFORMED;
        }
        if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f) {
            return PLAT_WS_MALFORMED;
        }
    }
    return PLAT_WS_INCOMPLETE;
}

int plat_ws_status_read(const uint8_t *line, size_t len)
{
    static const char version[] = "HTTP/1.";
    enum { MINOR = sizeof version - 1, AT = MINOR + 2, END = AT + 3, UPGRADED = 101 };
    if (len < END || memcmp(line, version, MINOR) != 0 || line[MINOR + 1] != ' ') {
        return 0;
    }
    if (!is_digit(line[AT]) || !is_digit(line[AT + 1]) || !is_digit(line[AT + 2])) {
        return 0;
    }
    if (len > END && line[END] != ' ') {
        return 0;
    }
    const int status = (line[AT] - '0') * 100 + (line[AT + 1] - '0') * 10 + (line[AT + 2] - '0');
    const bool is_known = line[MINOR] == '1' || (line[MINOR] == '0' && status != UPGRADED);
    return is_known && status >= 100 && status <= 599 ? status : 0;
}

bool plat_ws_header_read(plat_ws_header *h, const uint8_t *line, size_t len)
{
    const char *text = (const char *)line;
    const size_t name = plat_ws_token_len(text, len);
    if (name == 0 || name == len || text[name] != ':') {
        return false;
    }
    size_t at = name + 1;
    while (at < len && is_blank(text[at])) {
        at++;
    }
    while (len > at && is_blank(text[len - 1])) {
        len--;
    }
    *h = (plat_ws_header){
        .name = text, .name_len = name, .value = text + at, .value_len = len - at
    };
    return true;
}

bool plat_ws_header_is(const plat_ws_header *h, const char *name)
{
    return is_word(h->name, h->name_len, name);
}

bool plat_ws_value_is(const plat_ws_header *h, const char *text)
{
    return strlen(text) == h->value_len && memcmp(h->value, text, h->value_len) == 0;
}

bool plat_ws_value_is_word(const plat_ws_header *h, const char *word)
{
    return is_word(h->value, h->value_len, word);
}

bool plat_ws_value_lists(const plat_ws_header *h, const char *word)
{
    size_t at = 0;
    while (at < h->value_len) {
        const size_t token = plat_ws_token_len(h->value + at, h->value_len - at);
        if (token > 0 && is_word(h->value + at, token, word)) {
            return true;
        }
        at += token > 0 ? token : 1; /* skips the comma and blanks */
    }
    return false;
}
