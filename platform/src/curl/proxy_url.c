#include "curl/proxy_url.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/wipe_memory.h"
#include "platform/tunnel.h"

const char plat_proxy_url_no_memory[] = "proxy: no memory is left";

/* RFC 1929 allows this many bytes for each of user name and password. */
enum { SECRET_MAX = 255 };

static const char *const schemes[] = { "http", "https", "socks5", "socks5h" };

static void drop_text(char **text)
{
    if (*text != NULL) {
        plat_wipe(*text, strlen(*text));
        free(*text);
        *text = NULL;
    }
}

void plat_proxy_url_drop(plat_proxy_url *p)
{
    drop_text(&p->address);
    drop_text(&p->name);
    drop_text(&p->user);
    drop_text(&p->password);
    drop_text(&p->except);
    p->port = 0;
    p->over_tls = false;
}

/* Replaces a text that libcurl has allocated by a copy from malloc. Returns false if no memory
 * is left. */
static bool keep(char *from_curl, char **out)
{
    *out = strdup(from_curl);
    plat_wipe(from_curl, strlen(from_curl));
    curl_free(from_curl);
    return *out != NULL;
}

/* Sets *out to a decoded part, or to NULL if the URL does not have it. */
static const char *take_secret(CURLU *url, CURLUPart part, CURLUcode none, char **out)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, CURLU_URLDECODE);

    if (code == none) {
        return NULL;
    }
    if (code != CURLUE_OK) {
        return code == CURLUE_OUT_OF_MEMORY
                   ? plat_proxy_url_no_memory
                   : "proxy: user or password has a wrong percent-encoding, or a control character";
    }
    if (!keep(text, out)) {
        return plat_proxy_url_no_memory;
    }
    return strlen(*out) > SECRET_MAX ? "proxy: user or password is longer than 255 bytes" : NULL;
}

static const char *check_scheme(const char *scheme, plat_proxy_url *out)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(scheme, schemes[i]) == 0) {
            out->over_tls = strcmp(scheme, "https") == 0;
            return NULL;
        }
    }
    return "proxy: the scheme must be http, https, socks5 or socks5h";
}

static bool has_only(const char *path)
{
    return path == NULL || path[0] == '\0' || strcmp(path, "/") == 0;
}

/* Refuses parts that the URL of a proxy cannot have. Often such a part is a character of the
 * password that should have been percent-encoded. */
static const char *check_rest(CURLU *url)
{
    static const char text[] = "proxy: after the port only \"/\" may follow; special characters of "
                               "user and password must be percent-encoded";
    char *path = NULL;
    char *more = NULL;

    (void)curl_url_get(url, CURLUPART_PATH, &path, 0);
    bool bare = has_only(path);
    curl_free(path);
    if (curl_url_get(url, CURLUPART_QUERY, &more, 0) == CURLUE_OK ||
        curl_url_get(url, CURLUPART_FRAGMENT, &more, 0) == CURLUE_OK) {
        bare = false;
    }
    curl_free(more);
    return bare ? NULL : text;
}

/* libcurl's own default ports of proxies. */
static const char *port_or_default(const char *port, bool over_tls)
{
    if (port != NULL) {
        return port;
    }
    return over_tls ? "443" : "1080";
}

static char *join(const char *a, const char *between, const char *b, const char *colon,
                  const char *c)
{
    const size_t size = strlen(a) + strlen(between) + strlen(b) + strlen(colon) + strlen(c) + 1;
    char *text = malloc(size);

    if (text != NULL) {
        (void)snprintf(text, size, "%s%s%s%s%s", a, between, b, colon, c);
    }
    return text;
}

static const char *take_address(CURLU *url, plat_proxy_url *out)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    const char *fault = NULL;

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        fault = "proxy: scheme or host is missing; write for example \"http://proxy.example:3128\"";
    } else {
        (void)curl_url_get(url, CURLUPART_PORT, &port, 0);
        fault = check_scheme(scheme, out);
    }
    if (fault == NULL) {
        const char *number = port_or_default(port, out->over_tls);
        out->address = join(scheme, "://", host, ":", number);
        out->name = join("", "", host, ":", number);
        out->port = (uint16_t)strtoul(number, NULL, 10); /* libcurl has checked it */
        fault = out->address == NULL || out->name == NULL ? plat_proxy_url_no_memory : NULL;
        if (out->port == 0) {
            fault = "proxy: the port is 0; it must be 1 to 65535";
        }
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return fault;
}

/* libcurl has decoded the host, and decodes the address again when it uses it. Refuses a host that
 * would then be another one. */
static const char *check_address(const plat_proxy_url *p)
{
    CURLU *url = curl_url();
    char *host = NULL;

    if (url == NULL) {
        return plat_proxy_url_no_memory;
    }
    CURLUcode code = curl_url_set(url, CURLUPART_URL, p->address, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK) {
        code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    }
    const size_t len = host != NULL ? strlen(host) : 0;
    const bool same = len > 0 && strncmp(p->name, host, len) == 0 && p->name[len] == ':';
    curl_free(host);
    curl_url_cleanup(url);
    if (code == CURLUE_OUT_OF_MEMORY) {
        return plat_proxy_url_no_memory;
    }
    return same ? NULL : "proxy: the host must not be percent-encoded";
}

static const char *take_parts(CURLU *url, plat_proxy_url *out)
{
    const char *fault = take_address(url, out);

    if (fault == NULL) {
        fault = check_address(out);
    }
    if (fault == NULL) {
        fault = check_rest(url);
    }
    if (fault == NULL) {
        fault = take_secret(url, CURLUPART_USER, CURLUE_NO_USER, &out->user);
    }
    if (fault == NULL) {
        fault = take_secret(url, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, &out->password);
    }
    return fault;
}

static const char *parse_url(const char *text, plat_proxy_url *out)
{
    if (strlen(text) > PLAT_PROXY_URL_MAX) {
        return "proxy: the URL is longer than 511 bytes";
    }
    if (strstr(text, "://") == NULL) {
        return "proxy: the scheme is missing; write for example \"http://proxy.example:3128\"";
    }
    CURLU *url = curl_url();
    if (url == NULL) {
        return plat_proxy_url_no_memory;
    }
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    const char *fault = NULL;
    switch ((int)code) {
    case CURLUE_OK: fault = take_parts(url, out); break;
    case CURLUE_OUT_OF_MEMORY: fault = plat_proxy_url_no_memory; break;
    case CURLUE_BAD_PORT_NUMBER:
        fault = "proxy: the port is not a number from 1 to 65535; special characters of user and "
                "password must be percent-encoded";
        break;
    default:
        fault = "proxy: this is not a URL such as \"http://user:password@proxy.example:3128\"";
        break;
    }
    curl_url_cleanup(url);
    return fault;
}

/* Returns the value of the first variable that is set and not empty, or "". */
static const char *first_set(const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0') {
            return value;
        }
    }
    return "";
}

static const char *parse_environment(plat_proxy_url *out)
{
    static const char *const proxies[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                           NULL };
    static const char *const exceptions[] = { "no_proxy", "NO_PROXY", NULL };
    const char *url = first_set(proxies);

    out->except = strdup(first_set(exceptions));
    if (out->except == NULL) {
        return plat_proxy_url_no_memory;
    }
    if (url[0] != '\0') {
        return parse_url(url, out);
    }
    out->address = strdup("");
    out->name = strdup("none");
    return out->address != NULL && out->name != NULL ? NULL : plat_proxy_url_no_memory;
}

static const char *parse_given(const char *proxy, plat_proxy_url *out)
{
    out->except = strdup("");
    return out->except != NULL ? parse_url(proxy, out) : plat_proxy_url_no_memory;
}

const char *plat_proxy_url_parse(const char *proxy, plat_proxy_url *out)
{
    *out = (plat_proxy_url){ 0 };
    const char *fault =
        strcmp(proxy, "environment") == 0 ? parse_environment(out) : parse_given(proxy, out);
    if (fault != NULL) {
        plat_proxy_url_drop(out);
    }
    return fault;
}

/* Returns the first failure; the calls after it do no harm. */
static CURLcode first(CURLcode a, CURLcode b)
{
    return a != CURLE_OK ? a : b;
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static CURLcode apply_secrets(const plat_proxy_url *p, CURL *easy)
{
    const long methods = (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST | CURLAUTH_NTLM);
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, text_or_empty(p->user));

    code = first(code, curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, text_or_empty(p->password)));
    return first(code, curl_easy_setopt(easy, CURLOPT_PROXYAUTH, methods));
}

CURLcode plat_proxy_url_apply(const plat_proxy_url *p, CURL *easy)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, p->address);

    code = first(code, curl_easy_setopt(easy, CURLOPT_NOPROXY, p->except));
    code = first(code,
                 curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    return p->user != NULL || p->password != NULL ? first(code, apply_secrets(p, easy)) : code;
}
