#include "hub/rest.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/secret.h"
#include "command/commands.h"
#include "iothub/sas.h"

#define CA_ENV "IOTHUB_CA_FILE"

enum {
    TOKEN_LIFE_S = 300,
    CONNECT_TIMEOUT_S = 10,
    REPLY_MAX = 16 * 1024 * 1024,
    FIRST_PLAUSIBLE_TIME = 1600000000 /* September 2020 */
};

struct rest {
    CURL *curl;
    struct curl_slist *headers;
    const char *ca_file;              /* NULL: the root certificates of the system */
    char where[IOTHUB_HOST_MAX + 32]; /* host:port */
    bool local;
    char why[CURL_ERROR_SIZE];
};

/* A call in progress. */
typedef struct transfer {
    rest *r;
    const rest_call *call;
    rest_reply *reply;
    FILE *body;
    size_t taken;
    bool stopped; /* on_data has ended the call */
} transfer;

/* --- opening ------------------------------------------------------------- */

static bool make_token(const iothub_connection_string *cs, char *token, size_t cap)
{
    iothub_error err;
    const plat_clock *clock = plat_posix()->clock;
    int64_t now = clock->wall_s(clock);

    if (cs->signature.len != 0) {
        if (cs->signature.len >= cap) {
            cli_error(REST_SERVICE_ENV ": SharedAccessSignature is too long");
            return false;
        }
        memcpy(token, cs->signature.ptr, cs->signature.len);
        token[cs->signature.len] = '\0';
        return true;
    }
    if (now < FIRST_PLAUSIBLE_TIME) {
        cli_error("the clock of this machine is not set, so no token can be made");
        return false;
    }
    if (iothub_sas_build_for(plat_posix()->crypto, cs, (uint64_t)now + TOKEN_LIFE_S, token, cap,
                             NULL, &err) != IOTHUB_OK) {
        cli_error(REST_SERVICE_ENV ": %s", err.text);
        return false;
    }
    return true;
}

static bool read_environment(iothub_connection_string *cs)
{
    const char *text = getenv(REST_SERVICE_ENV);
    iothub_error err;

    if (text == NULL || *text == '\0') {
        cli_error(REST_SERVICE_ENV
                  " is not set; it is the connection string of a policy of the hub");
        return false;
    }
    if (iothub_connection_string_parse(cs, text, &err) != IOTHUB_OK) {
        cli_error(REST_SERVICE_ENV ": %s", err.text);
        return false;
    }
    if (cs->policy_name.len == 0) {
        cli_error(
            REST_SERVICE_ENV
            ": this connection string is for a device; one for a service has SharedAccessKeyName");
        return false;
    }
    /* Makes the error text right for a string that names a device, too. */
    cs->kind = IOTHUB_IDENTITY_SERVICE;
    return true;
}

static bool is_local(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static void set_host(rest *r, const iothub_connection_string *cs, uint16_t port)
{
    char host[IOTHUB_HOST_MAX + 1];
    bool ipv6;

    (void)snprintf(host, sizeof host, "%.*s", (int)cs->host_name.len,
                   (const char *)cs->host_name.ptr);
    ipv6 = strchr(host, ':') != NULL;
    (void)snprintf(r->where, sizeof r->where, "%s%s%s:%u", ipv6 ? "[" : "", host, ipv6 ? "]" : "",
                   (unsigned)port);
    r->local = is_local(host);
}

static bool add_header(rest *r, const char *line)
{
    struct curl_slist *longer = curl_slist_append(r->headers, line);

    if (longer != NULL) {
        r->headers = longer;
    }
    return longer != NULL;
}

static bool add_headers(rest *r, const char *token)
{
    char line[IOTHUB_SAS_TOKEN_SIZE + 32];

    (void)snprintf(line, sizeof line, "Authorization: %s", token);
    bool good = add_header(r, line) && add_header(r, "Content-Type: application/json") &&
                add_header(r, "Accept: application/json") && add_header(r, "If-Match: \"*\"") &&
                add_header(r, "Expect:"); /* does not wait for 100 Continue */
    explicit_bzero(line, sizeof line);
    return good;
}

rest *rest_open(uint16_t port)
{
    iothub_connection_string cs;
    char token[IOTHUB_SAS_TOKEN_SIZE];

    if (!read_environment(&cs) || !make_token(&cs, token, sizeof token)) {
        return NULL;
    }
    rest *r = calloc(1, sizeof *r);
    bool good = r != NULL && (r->curl = curl_easy_init()) != NULL && add_headers(r, token);
    explicit_bzero(token, sizeof token);
    if (!good) {
        cli_error("out of memory");
        rest_close(r);
        return NULL;
    }
    set_host(r, &cs, port);
    r->ca_file = getenv(CA_ENV);
    if (r->ca_file != NULL && *r->ca_file == '\0') {
        r->ca_file = NULL;
    }
    return r;
}

void rest_close(rest *r)
{
    if (r == NULL) {
        return;
    }
    for (struct curl_slist *h = r->headers; h != NULL; h = h->next) {
        explicit_bzero(h->data, strlen(h->data)); /* the token */
    }
    curl_slist_free_all(r->headers);
    curl_easy_cleanup(r->curl);
    free(r);
}

/* --- one call ------------------------------------------------------------ */

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    transfer *t = user;
    size_t len = size * count;
    long status = 0;

    (void)curl_easy_getinfo(t->r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (t->call->on_data != NULL && is_success(status)) {
        t->stopped = !t->call->on_data(t->call->user, data, len);
        return t->stopped ? 0 : len;
    }
    t->taken += len;
    return t->taken <= REPLY_MAX && fwrite(data, 1, len, t->body) == len ? len : 0;
}

static size_t take_header(char *data, size_t size, size_t count, void *user)
{
    static const char name[] = "iothub-errorcode:";
    transfer *t = user;
    size_t len = size * count;

    if (len >= sizeof name && strncasecmp(data, name, sizeof name - 1) == 0) {
        (void)snprintf(t->reply->code, sizeof t->reply->code, "%.*s", (int)(len - sizeof name + 1),
                       data + sizeof name - 1);
        char *text = t->reply->code + strspn(t->reply->code, " ");
        text[strcspn(text, "\r\n")] = '\0';
        memmove(t->reply->code, text, strlen(text) + 1);
    }
    return len;
}

static CURLcode configure(rest *r, transfer *t, const char *url)
{
    const rest_call *call = t->call;
    CURL *c = r->curl;
    CURLcode rc = CURLE_OK;

    curl_easy_reset(c);
#define SET(option, value) rc = rc != CURLE_OK ? rc : curl_easy_setopt(c, option, value)
    SET(CURLOPT_URL, url);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PATH_AS_IS, 1L); /* an id may consist of dots */
    SET(CURLOPT_CUSTOMREQUEST, call->method);
    SET(CURLOPT_HTTPHEADER, r->headers);
    SET(CURLOPT_ERRORBUFFER, r->why);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    SET(CURLOPT_TIMEOUT, call->timeout_s);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, t);
    if (call->body != NULL) {
        SET(CURLOPT_POSTFIELDS, call->body);
    }
    if (r->ca_file != NULL) {
        SET(CURLOPT_CAINFO, r->ca_file);
        SET(CURLOPT_CAPATH, NULL); /* trusts no roots except those in the file */
    }
    if (r->local) {
        SET(CURLOPT_NOPROXY, "*");
    }
#undef SET
    return rc;
}

static const char *why_no_roots(const char *file)
{
    struct stat s;

    if (file == NULL) {
        return "the roots of the system are missing";
    }
    if (stat(file, &s) != 0 || access(file, R_OK) != 0) {
        return strerror(errno);
    }
    if (!S_ISREG(s.st_mode)) {
        return S_ISDIR(s.st_mode) ? "it is a directory" : "it is not a regular file";
    }
    return s.st_size == 0 ? "it is empty" : "there is no certificate in it that can be read";
}

static void complain_about(const rest *r, CURLcode rc)
{
    bool show = r->ca_file != NULL && cli_may_show(r->ca_file);

    switch ((int)rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
        cli_error("the host name of %s does not resolve", r->where);
        return;
    case CURLE_COULDNT_CONNECT: cli_error("no server answers at %s", r->where); return;
    case CURLE_OPERATION_TIMEDOUT:
        cli_error("%s did not answer in time: %s", r->where, r->why);
        return;
    case CURLE_PEER_FAILED_VERIFICATION:
        cli_error("the certificate of %s is not accepted: %s%s", r->where, r->why,
                  r->ca_file == NULL && r->local ? "; set " CA_ENV " to the root of the emulator"
                                                 : "");
        return;
    case CURLE_SSL_CACERT_BADFILE:
        cli_error(CA_ENV "%s%s is not a readable PEM file: %s", show ? ": " : "",
                  show ? r->ca_file : "", why_no_roots(r->ca_file));
        return;
    case CURLE_GOT_NOTHING:
        cli_error("%s does not use HTTPS; check the port in IOTHUB_REST_PORT or --rest-port",
                  r->where);
        return;
    case CURLE_SSL_CONNECT_ERROR:
        cli_error("the TLS handshake with %s failed: %s", r->where, r->why);
        return;
    default:
        cli_error("the request to %s failed: %s", r->where,
                  r->why[0] != '\0' ? r->why : curl_easy_strerror(rc));
        return;
    }
}

static bool transfer_all(rest *r, transfer *t, const char *url)
{
    r->why[0] = '\0';
    CURLcode rc = configure(r, t, url);
    if (rc == CURLE_OK) {
        rc = curl_easy_perform(r->curl);
    }
    (void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
    if (rc == CURLE_OK || t->stopped) {
        return true;
    }
    complain_about(r, rc);
    return false;
}

bool rest_perform(rest *r, const rest_call *call, rest_reply *reply)
{
    transfer t = { .r = r, .call = call, .reply = reply };
    char *url = NULL;
    bool good = false;

    memset(reply, 0, sizeof *reply);
    t.body = open_memstream(&reply->body, &reply->len);
    if (t.body == NULL || asprintf(&url, "https://%s%s", r->where, call->path) < 0) {
        cli_error("out of memory");
        url = NULL;
    } else {
        good = transfer_all(r, &t, url);
    }
    if (t.body != NULL && fclose(t.body) != 0) {
        good = false;
    }
    free(url);
    if (!good) {
        rest_reply_free(reply);
    }
    return good;
}

void rest_reply_free(rest_reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}

char *rest_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = escaped != NULL ? strdup(escaped) : NULL;

    curl_free(escaped);
    return copy;
}
