#include "wolfssl/x509/host_name.h"

#include <arpa/inet.h>
#include <string.h>

#define LABEL_MAX 63

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Accepts letters, digits and the hyphen (RFC 952 and 1123), and the underscore, which is used
 * in practice. */
static bool is_label_char(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool plat_host_is_name(const void *bytes, size_t len)
{
    const char *text = bytes;
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && label > 0) {
            label = 0;
        } else if (is_label_char(text[i]) && label < LABEL_MAX) {
            label++;
        } else {
            return false;
        }
    }
    return label > 0;
}

bool plat_host_parse(plat_host *h, const char *text)
{
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > PLAT_HOST_NAME_MAX) {
        return false;
    }
    *h = (plat_host){ 0 };
    memcpy(h->name, text, len);
    if (inet_pton(AF_INET, text, h->ip) == 1) {
        h->ip_len = 4;
        return true;
    }
    if (inet_pton(AF_INET6, text, h->ip) == 1) {
        h->ip_len = 16;
        return true;
    }
    return plat_host_is_name(h->name, len);
}

static bool same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len) {
        return false;
    }
    for (size_t i = 0; i < a_len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

/* "*.example.com" matches exactly one label before ".example.com"; "*.com" matches nothing. */
static bool matches_wildcard(const plat_host *h, const char *rest, size_t rest_len)
{
    const char *dot = strchr(h->name, '.');
    bool covers_a_whole_domain = memchr(rest + 1, '.', rest_len - 1) == NULL;
    return dot != NULL && !covers_a_whole_domain && same_text(dot, strlen(dot), rest, rest_len);
}

bool plat_host_matches_dns(const plat_host *h, const void *san, size_t len)
{
    const char *text = san;
    if (h->ip_len != 0) {
        return false;
    }
    if (len > 2 && text[0] == '*' && text[1] == '.') {
        return plat_host_is_name(text + 2, len - 2) && matches_wildcard(h, text + 1, len - 1);
    }
    return same_text(h->name, strlen(h->name), text, len);
}

bool plat_host_matches_ip(const plat_host *h, const void *san, size_t len)
{
    return h->ip_len != 0 && len == h->ip_len && memcmp(h->ip, san, len) == 0;
}
