#include "platform/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl/curl_bind.h"
#include "curl/curl_memory.h"
#include "curl/proxy_url.h"
#include "memory/wipe_memory.h"

/* The lowest status of a proxy that refuses CONNECT. */
enum { HTTP_REDIRECT = 300 };

typedef struct curl_http {
    plat_http base;
    CURLM *multi;
    CURL *easy; /* NULL if no request is in progress */
    struct curl_slist *headers;

    char *answer; /* ends with a NUL; NULL: empty */
    size_t answer_len;
    size_t answer_max;
    bool too_big;
    bool head_ended; /* the blank line that ends the headers of the answer has arrived */

    /* The sockets that libcurl waits for; CURL_SOCKET_BAD: none. */
    curl_socket_t sockets[PLAT_HTTP_POLLS];
    int wanted[PLAT_HTTP_POLLS];       /* what to wait for: CURL_POLL_IN and so on */
    uint32_t generation;               /* counts the changes of sockets */
    char detail[CURL_ERROR_SIZE + 32]; /* text of the last failure; "" if nothing has failed */
    char fault[CURL_ERROR_SIZE];
} curl_http;

static curl_http *self(plat_http *h)
{
    return (curl_http *)h;
}

/* --- what libcurl waits for ------------------------------------------------------------------ */

static int place_of(const curl_http *h, curl_socket_t socket)
{
    for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
        if (h->sockets[i] == socket) {
            return i;
        }
    }
    return -1;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *unused)
{
    curl_http *h = user;
    int at = place_of(h, socket);

    (void)easy;
    (void)unused;
    h->generation++;
    if (what == CURL_POLL_REMOVE) {
        if (at >= 0) {
            h->sockets[at] = CURL_SOCKET_BAD;
        }
        return 0;
    }
    if (at < 0) {
        at = place_of(h, CURL_SOCKET_BAD);
    }
    if (at >= 0) { /* If no entry is free, only libcurl's timer serves the socket. */
        h->sockets[at] = socket;
        h->wanted[at] = what;
    }
    return 0;
}

static void http_poll(plat_http *base, plat_poll *polls, int *wake_in_ms)
{
    curl_http *h = self(base);
    long ms = -1;

    for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
        const bool used = h->sockets[i] != CURL_SOCKET_BAD;
        polls[i] = (plat_poll){
            .fd = used ? h->sockets[i] : -1,
            .want_read = used && (h->wanted[i] & CURL_POLL_IN) != 0,
            .want_write = used && (h->wanted[i] & CURL_POLL_OUT) != 0,
            .generation = h->generation,
        };
    }
    (void)curl_multi_timeout(h->multi, &ms);
    *wake_in_ms = ms < INT32_MAX ? (int)ms : INT32_MAX;
}

static void http_wait(plat_http *base, uint32_t max_ms)
{
    curl_http *h = self(base);
    const int limit = max_ms < INT32_MAX ? (int)max_ms : INT32_MAX;

    if (h->easy != NULL) {
        (void)curl_multi_poll(h->multi, NULL, 0, limit, NULL);
    }
}

/* --- the answer ------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t one, size_t len, void *user)
{
    curl_http *h = user;

    (void)one; /* libcurl always passes 1 */
    if (len > h->answer_max - h->answer_len) {
        h->too_big = true;
        return 0;
    }
    char *grown = plat_curl_resize(h->answer, h->answer_len + len + 1);
    if (grown == NULL) {
        return 0;
    }
    memcpy(grown + h->answer_len, data, len);
    h->answer = grown;
    h->answer_len += len;
    h->answer[h->answer_len] = '\0';
    return len;
}

static size_t on_header(char *line, size_t one, size_t len, void *user)
{
    curl_http *h = user;

    (void)one;
    h->head_ended = len == 2 && memcmp(line, "\r\n", 2) == 0;
    return len;
}

static void drop_answer(curl_http *h)
{
    if (h->answer != NULL) {
        plat_wipe(h->answer, h->answer_len);
    }
    free(h->answer);
    h->answer = NULL;
    h->answer_len = 0;
    h->too_big = false;
    h->head_ended = false;
}

static void drop_headers(curl_http *h)
{
    for (struct curl_slist *at = h->headers; at != NULL; at = at->next) {
        plat_wipe(at->data, strlen(at->data)); /* a header may contain a token */
    }
    curl_slist_free_all(h->headers);
    h->headers = NULL;
}

static void end_request(curl_http *h)
{
    if (h->easy != NULL) {
        (void)curl_multi_remove_handle(h->multi, h->easy);
        curl_easy_cleanup(h->easy);
        h->easy = NULL;
    }
    drop_headers(h);
}

/* --- the request ----------------------------------------------------------------------------- */

static bool can_show_identity(const plat_http_request *r)
{
    plat_identity_parts parts;

    return r->identity == NULL || (r->identities != NULL && r->identities->show != NULL &&
                                   r->identities->show(r->identity, &parts));
}

static const char *find_fault(const plat_http_request *r)
{
    if (r->method == NULL || r->method[0] == '\0') {
        return "HTTP request: method is missing";
    }
    if (r->url == NULL) {
        return "HTTP request: url is missing";
    }
    if (r->timeout_ms == 0) {
        return "HTTP request: timeout_ms is 0";
    }
    if (r->header_count > PLAT_HTTP_HEADERS_MAX || (r->headers == NULL && r->header_count > 0)) {
        return "HTTP request: too many headers, or headers is NULL";
    }
    for (size_t i = 0; i < r->header_count; i++) {
        if (strpbrk(r->headers[i], "\r\n") != NULL) {
            return "HTTP request: a header contains a line break";
        }
    }
    if (r->body == NULL && r->body_len > 0) {
        return "HTTP request: body is NULL";
    }
    if (r->max_version != PLAT_TLS_ANY && r->min_version > r->max_version) {
        return "HTTP request: min_version is above max_version";
    }
    if (!can_show_identity(r)) {
        return "HTTP request: the key of the client certificate is not in the process";
    }
    return r->body_len > INT32_MAX || r->answer_max > INT32_MAX
               ? "HTTP request: body_len or answer_max is larger than 2 GiB"
               : NULL;
}

static bool copy_headers(curl_http *h, const plat_http_request *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(h->headers, r->headers[i]);
        if (longer == NULL) {
            return false;
        }
        h->headers = longer;
    }
    return true;
}

static CURLcode set_trust(CURL *easy, const plat_http_request *r)
{
    struct curl_blob roots = {
        .len = r->ca_len,
        .flags = CURL_BLOB_COPY,
    };

    /* Libcurl copies the text and does not change it. */
    memcpy(&roots.data, &r->ca_data, sizeof roots.data);

    if (r->ca_data != NULL) {
        return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &roots);
    }
    return r->ca_file != NULL ? curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca_file) : CURLE_OK;
}

static CURLcode set_body(CURL *easy, const plat_http_request *r)
{
    if (r->body == NULL) {
        return CURLE_OK;
    }
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    if (code != CURLE_OK) {
        return code;
    }
    return r->copy_body ? curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, r->body)
                        : curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
}

/* Returns the first failure; the calls after it do no harm. */
static CURLcode first(CURLcode a, CURLcode b)
{
    return a != CURLE_OK ? a : b;
}

static bool is_post(const plat_http_request *r)
{
    return strcmp(r->method, "POST") == 0;
}

static CURLcode set_stall(CURL *easy, uint32_t stall_ms)
{
    if (stall_ms == 0) {
        return CURLE_OK;
    }
    CURLcode code = curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L); /* in bytes per second */
    return first(code, curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                                        (long)(stall_ms / 1000 + (stall_ms % 1000 != 0))));
}

/* libcurl uses the memory of the identity and makes no copy. The key is DER, which does not show
 * its kind by a header as PEM does, and OpenSSL finds out. */
static CURLcode set_identity(CURL *easy, const plat_http_request *r)
{
    plat_identity_parts parts;

    if (r->identity == NULL) {
        return CURLE_OK;
    }
    (void)r->identities->show(r->identity, &parts); /* find_fault has checked it */
    struct curl_blob chain = { .len = parts.chain_len, .flags = CURL_BLOB_NOCOPY };
    struct curl_blob key = { .len = parts.key_len, .flags = CURL_BLOB_NOCOPY };
    memcpy(&chain.data, &parts.chain_pem, sizeof chain.data); /* libcurl does not change them */
    memcpy(&key.data, &parts.key_der, sizeof key.data);
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &chain);
    code = first(code, curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "DER"));
    return first(code, curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key));
}

static long version_range(const plat_http_request *r)
{
    const bool only_1_3 = r->min_version == PLAT_TLS_1_3;
    const bool only_1_2 = r->max_version == PLAT_TLS_1_2;

    return (only_1_3 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2) |
           (only_1_2 ? (long)CURL_SSLVERSION_MAX_TLSv1_2 : (long)CURL_SSLVERSION_MAX_TLSv1_3);
}

static CURLcode set_options(curl_http *h, const plat_http_request *r)
{
    CURL *easy = h->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, r->url);

    code = first(code, curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
    code = first(code, set_body(easy, r));
    code = first(code, curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method));
    /* On a connection that was used before, libcurl would send a request without an answer again.
     */
    code = first(code, curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, is_post(r) ? 1L : 0L));
    code = first(code, curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket));
    code = first(code, curl_easy_setopt(easy, CURLOPT_HTTPHEADER, h->headers));
    code = first(code, curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms));
    code = first(code, set_stall(easy, r->stall_ms));
    code = first(code, curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    code = first(code, curl_easy_setopt(easy, CURLOPT_HEADERDATA, h));
    code = first(code, curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
    code = first(code, curl_easy_setopt(easy, CURLOPT_WRITEDATA, h));
    code = first(code, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, h->fault));
    code = first(code, curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    code = first(code, curl_easy_setopt(easy, CURLOPT_SSLVERSION, version_range(r)));
    code = first(code, set_identity(easy, r));
    return first(code, set_trust(easy, r));
}

static plat_result refuse(curl_http *h, plat_result r, const char *text)
{
    (void)snprintf(h->detail, sizeof h->detail, "%s", text);
    return r;
}

/* Without a proxy, the variables of the environment are ignored. */
static CURLcode set_proxy(CURL *easy, const plat_proxy_url *p)
{
    return p->address != NULL ? plat_proxy_url_apply(p, easy)
                              : curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static plat_result add_request(curl_http *h, const plat_http_request *r, const plat_proxy_url *p)
{
    h->easy = curl_easy_init();
    if (h->easy == NULL || !copy_headers(h, r)) {
        return refuse(h, PLAT_ERR_MEMORY, "HTTP request: no memory is left");
    }
    CURLcode code = first(set_options(h, r), set_proxy(h->easy, p));
    code = first(code, plat_curl_bind(h->easy, r->bind));
    if (code == CURLE_OUT_OF_MEMORY) {
        return refuse(h, PLAT_ERR_MEMORY, "HTTP request: no memory is left");
    }
    if (code != CURLE_OK) {
        (void)snprintf(h->detail, sizeof h->detail, "HTTP request: %s", curl_easy_strerror(code));
        return PLAT_ERR_ARG;
    }
    return curl_multi_add_handle(h->multi, h->easy) == CURLM_OK
               ? PLAT_OK
               : refuse(h, PLAT_ERR_MEMORY, "HTTP request: no memory is left");
}

static plat_result http_start(plat_http *base, const plat_http_request *r)
{
    curl_http *h = self(base);

    h->detail[0] = '\0';
    if (h->easy != NULL) {
        return refuse(h, PLAT_ERR_STATE, "HTTP request: another one is in progress");
    }
    const char *fault = find_fault(r);
    if (fault != NULL) {
        return refuse(h, PLAT_ERR_ARG, fault);
    }
    plat_proxy_url proxy = { 0 };
    fault = r->proxy != NULL ? plat_proxy_url_parse(r->proxy, &proxy) : NULL;
    if (fault != NULL) {
        return refuse(h, fault == plat_proxy_url_no_memory ? PLAT_ERR_MEMORY : PLAT_ERR_ARG, fault);
    }
    drop_answer(h);
    h->answer_max = r->answer_max;
    h->fault[0] = '\0';
    plat_result result = add_request(h, r, &proxy);
    plat_proxy_url_drop(&proxy);
    if (result != PLAT_OK) {
        end_request(h);
    }
    return result;
}

/* --- progress -------------------------------------------------------------------------------- */

static plat_result result_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK: return PLAT_OK;
    case CURLE_PROXY: return PLAT_ERR_PROXY;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: return PLAT_ERR_DNS;
    case CURLE_INTERFACE_FAILED:
    case CURLE_COULDNT_CONNECT: return PLAT_ERR_CONNECT;
    case CURLE_OUT_OF_MEMORY: return PLAT_ERR_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return PLAT_ERR_ARG;
    case CURLE_PEER_FAILED_VERIFICATION: return PLAT_ERR_CERT_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE: return PLAT_ERR_TRUST_STORE;
    case CURLE_SSL_CONNECT_ERROR: return PLAT_ERR_TLS;
    default: return PLAT_ERR_IO;
    }
}

static plat_result fail(curl_http *h, CURLcode code)
{
    if (h->too_big) {
        (void)snprintf(h->detail, sizeof h->detail, "HTTP answer: more than %zu bytes",
                       h->answer_max);
        return PLAT_ERR_NO_SPACE;
    }
    long status = 0; /* status of the proxy's answer to CONNECT */
    (void)curl_easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    (void)snprintf(h->detail, sizeof h->detail, "HTTP: %s",
                   h->fault[0] != '\0' ? h->fault : curl_easy_strerror(code));
    return status >= HTTP_REDIRECT ? PLAT_ERR_PROXY : result_of(code);
}

static plat_result finish(curl_http *h, CURLcode code, plat_http_answer *answer)
{
    long status = 0;
    curl_off_t retry_after = 0;

    if (code != CURLE_OK) {
        plat_result r = fail(h, code);
        end_request(h);
        return r;
    }
    if (!h->head_ended) { /* libcurl accepts the end of the connection as the end of the headers */
        end_request(h);
        return refuse(h, PLAT_ERR_IO,
                      "HTTP: the connection ended inside the headers of the answer");
    }
    (void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &retry_after);
    end_request(h);
    *answer = (plat_http_answer){
        .status = (int)status,
        .body = h->answer != NULL ? h->answer : "",
        .body_len = h->answer_len,
        .retry_after_s = retry_after < UINT32_MAX ? (uint32_t)retry_after : UINT32_MAX,
    };
    return PLAT_OK;
}

/* Lets libcurl check all its sockets and its timer. */
static void drive(curl_http *h)
{
    int running;

    for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
        if (h->sockets[i] != CURL_SOCKET_BAD) {
            (void)curl_multi_socket_action(h->multi, h->sockets[i], 0, &running);
        }
    }
    (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static plat_result http_progress(plat_http *base, plat_http_answer *answer)
{
    curl_http *h = self(base);
    int left;

    h->detail[0] = '\0';
    if (h->easy == NULL) {
        return refuse(h, PLAT_ERR_STATE, "HTTP request: none is in progress");
    }
    drive(h);
    const CURLMsg *m = curl_multi_info_read(h->multi, &left);
    return m != NULL && m->msg == CURLMSG_DONE ? finish(h, m->data.result, answer)
                                               : PLAT_WOULD_BLOCK;
}

/* --- life ------------------------------------------------------------------------------------ */

static const char *http_detail(const plat_http *h)
{
    return ((const curl_http *)h)->detail;
}

static void http_cancel(plat_http *base)
{
    end_request(self(base));
}

static void destroy(curl_http *h)
{
    end_request(h);
    (void)curl_multi_cleanup(h->multi);
    drop_answer(h);
    free(h);
    plat_curl_end();
}

static void http_free(plat_http *base)
{
    destroy(self(base));
}

static const plat_http_ops ops = {
    .start = http_start,
    .progress = http_progress,
    .poll = http_poll,
    .wait = http_wait,
    .detail = http_detail,
    .cancel = http_cancel,
    .free = http_free,
};

static bool prepare(curl_http *h)
{
    h->base.ops = &ops;
    for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
        h->sockets[i] = CURL_SOCKET_BAD;
    }
    h->multi = curl_multi_init();
    return h->multi != NULL &&
           curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) == CURLM_OK;
}

plat_result plat_curl_http_new(plat_http **out)
{
    if (plat_curl_begin() != CURLE_OK) {
        return PLAT_ERR_MEMORY;
    }
    curl_http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        plat_curl_end();
        return PLAT_ERR_MEMORY;
    }
    if (!prepare(h)) {
        destroy(h);
        return PLAT_ERR_MEMORY;
    }
    *out = &h->base;
    return PLAT_OK;
}
