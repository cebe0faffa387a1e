#ifndef PLAT_CURL_PROXY_URL_H
#define PLAT_CURL_PROXY_URL_H

/** @file The URL of a proxy, taken apart, and the variables of the environment that name one. */

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/** A proxy. The texts are on the heap. */
typedef struct plat_proxy_url {
    char *address;  /* scheme, host and port, without user and password; "": no proxy */
    uint16_t port;  /* 0: no proxy */
    char *name;     /* host and port, for error texts */
    char *user;     /* NULL: none */
    char *password; /* NULL: none */
    char *except;   /* hosts for which the proxy is not used, as NO_PROXY lists them */
    bool over_tls;  /* the scheme is https */
} plat_proxy_url;

/**
 * Takes the URL of a proxy apart; "environment" reads the variables.
 * @param[out] out  the proxy, or all zero after a failure; plat_proxy_url_drop frees it
 * @return NULL, or a static text that says what is wrong
 */
const char *plat_proxy_url_parse(const char *proxy, plat_proxy_url *out);

/** What plat_proxy_url_parse returns if no memory is left. */
extern const char plat_proxy_url_no_memory[];

/** Makes a handle of libcurl use the proxy, and no other; libcurl copies the texts. */
CURLcode plat_proxy_url_apply(const plat_proxy_url *p, CURL *easy);

/** Erases and frees the texts. */
void plat_proxy_url_drop(plat_proxy_url *p);

#endif
