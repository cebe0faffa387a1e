#ifndef PLAT_CURL_TUNNEL_FAILURE_H
#define PLAT_CURL_TUNNEL_FAILURE_H

/** @file Why a tunnel could not be made: the result and the text for what libcurl reports. */

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/result.h"

/** What is known about a failed tunnel. */
typedef struct plat_tunnel_failure {
    CURLcode code;      /* how the transfer of libcurl ended */
    long status;        /* HTTP status of the proxy's answer to CONNECT; 0: none */
    long socks;         /* reason of a SOCKS failure, CURLPX_OK: none */
    long os_error;      /* errno of the failed connect; 0: none */
    bool direct;        /* no proxy was used, because the environment names none for this host */
    bool has_user;      /* the proxy's URL has a user */
    const char *proxy;  /* host and port of the proxy */
    const char *host;   /* the host to reach */
    uint16_t port;      /* and its port */
    const char *remark; /* libcurl's own text, or "" */
} plat_tunnel_failure;

/**
 * Chooses the result of a failure, and sets *detail to its text, as plat_failure_text_set does.
 */
plat_result plat_tunnel_explain(const plat_tunnel_failure *f, char **detail);

#endif
