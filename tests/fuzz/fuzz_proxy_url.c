/* Tests how the URL of a proxy is taken apart. */

#include "curl/proxy_url.h"
#include "fuzz.h"
#include "platform/tunnel.h"

enum { SECRET_MAX = 255 };

/* Returns whether a text may be shown: in an error, or as a line of a log. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20) {
            return false;
        }
    }
    return true;
}

static bool has_known_scheme(const char *address)
{
    static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(address, schemes[i], strlen(schemes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void check_secret(const char *secret)
{
    FUZZ_CHECK(secret == NULL || (strlen(secret) <= SECRET_MAX && is_printable(secret)));
}

/* What was read is the same when it is read once more, without the secrets. */
static void check_address(const plat_proxy_url *p)
{
    plat_proxy_url again;

    FUZZ_CHECK(has_known_scheme(p->address) && is_printable(p->address));
    FUZZ_CHECK(strchr(p->address, '@') == NULL);
    FUZZ_CHECK(strstr(p->address, p->name) == strstr(p->address, "://") + strlen("://"));
    FUZZ_CHECK(p->port != 0);
    FUZZ_CHECK(p->over_tls == (strncmp(p->address, "https:", strlen("https:")) == 0));
    if (strlen(p->address) > PLAT_PROXY_URL_MAX) { /* the port was added */
        return;
    }
    FUZZ_CHECK(plat_proxy_url_parse(p->address, &again) == NULL);
    FUZZ_CHECK(strcmp(again.address, p->address) == 0 && strcmp(again.name, p->name) == 0);
    FUZZ_CHECK(again.port == p->port && again.user == NULL && again.password == NULL);
    plat_proxy_url_drop(&again);
}

/* libcurl must take all parts. */
static void check_apply(const plat_proxy_url *p)
{
    CURL *easy = curl_easy_init();

    FUZZ_CHECK(easy != NULL);
    FUZZ_CHECK(plat_proxy_url_apply(p, easy) == CURLE_OK);
    curl_easy_cleanup(easy);
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The environment gives the same proxy, or is refused with the same text. */
static void check_environment(const char *url, const plat_proxy_url *given, const char *fault)
{
    plat_proxy_url p;

    FUZZ_CHECK(setenv("https_proxy", url, 1) == 0);
    FUZZ_CHECK(plat_proxy_url_parse("environment", &p) == fault);
    FUZZ_CHECK(same(p.address, given->address) && same(p.name, given->name));
    FUZZ_CHECK(same(p.user, given->user) && same(p.password, given->password));
    FUZZ_CHECK(p.port == given->port && p.over_tls == given->over_tls);
    plat_proxy_url_drop(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *url = fuzz_text((fuzz_input){ data, size });
    plat_proxy_url p;
    const char *fault = plat_proxy_url_parse(url, &p);

    if (fault != NULL) {
        FUZZ_CHECK(strncmp(fault, "proxy: ", strlen("proxy: ")) == 0 && is_printable(fault));
        FUZZ_CHECK(fault != plat_proxy_url_no_memory);
        FUZZ_CHECK(p.address == NULL && p.name == NULL && p.user == NULL && p.password == NULL &&
                   p.except == NULL);
    } else if (strcmp(url, "environment") != 0) {
        FUZZ_CHECK(strlen(url) <= PLAT_PROXY_URL_MAX);
        check_secret(p.user);
        check_secret(p.password);
        check_address(&p);
        check_apply(&p);
    }
    if (url[0] != '\0' && strcmp(url, "environment") != 0) {
        check_environment(url, &p, fault);
    }
    plat_proxy_url_drop(&p);
    free(url);
    return 0;
}
