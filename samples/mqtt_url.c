#include "mqtt_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct scheme {
    const char *prefix;
    uint16_t port;
    bool tls;
    bool websocket;
} scheme;

static const scheme schemes[] = {
    { "mqtt://", 1883, false, false },
    { "mqtts://", 8883, true, false },
    { "ws://", 80, false, true },
    { "wss://", 443, true, true },
};

static const scheme *find_scheme(const char *text)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* Takes the characters up to one of `ends`. Returns false if they do not fit. */
static bool take(const char **at, const char *ends, char *out, size_t cap)
{
    const size_t len = strcspn(*at, ends);
    if (len >= cap) {
        return false;
    }
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return true;
}

static bool take_host(const char **at, char *out, size_t cap)
{
    if (**at != '[') {
        return take(at, ":/?#", out, cap) && out[0] != '\0';
    }
    (*at)++;
    if (!take(at, "]/", out, cap) || **at != ']') {
        return false;
    }
    (*at)++;
    return out[0] != '\0';
}

static bool take_port(const char **at, uint16_t *port)
{
    char digits[6];
    if (**at != ':') {
        return true;
    }
    (*at)++;
    if (!take(at, "/?#", digits, sizeof digits) || digits[0] == '\0') {
        return false;
    }
    for (const char *d = digits; *d != '\0'; d++) {
        if (!isdigit((unsigned char)*d)) {
            return false;
        }
    }
    const unsigned long number = strtoul(digits, NULL, 10);
    *port = (uint16_t)number;
    return number >= 1 && number <= UINT16_MAX;
}

static bool is_host(const char *host)
{
    for (; *host != '\0'; host++) {
        if (!isalnum((unsigned char)*host) && strchr("-._:%", *host) == NULL) {
            return false;
        }
    }
    return true;
}

static const char *take_path(const scheme *s, const char *at, char *out, size_t cap)
{
    if (!s->websocket) {
        out[0] = '\0';
        return *at == '\0' || strcmp(at, "/") == 0 ? NULL : "only ws:// and wss:// have a path";
    }
    if (strlen(at) + 1 >= cap) {
        return "its path is too long";
    }
    (void)snprintf(out, cap, "%s%s", *at == '/' ? "" : "/", at);
    return NULL;
}

const char *mqtt_url_parse(mqtt_url *out, const char *text)
{
    const scheme *s = find_scheme(text);
    if (s == NULL) {
        return "it begins with none of mqtt://, mqtts://, ws:// and wss://";
    }
    const char *at = text + strlen(s->prefix);
    if (memchr(at, '@', strcspn(at, "/?#")) != NULL) {
        return "it has a user name; use --username and --pw";
    }
    out->tls = s->tls;
    out->port = s->port;
    if (!take_host(&at, out->host, sizeof out->host) || !is_host(out->host)) {
        return "it has no valid host";
    }
    return take_port(&at, &out->port) ? take_path(s, at, out->path, sizeof out->path)
                                      : "its port is not a number from 1 to 65535";
}
