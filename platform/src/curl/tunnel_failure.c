#include "curl/tunnel_failure.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "failure/failure_text.h"

/* HTTP statuses. Some proxies answer 401 where RFC 9110 section 15.5.8 says 407. */
enum {
    HTTP_UNAUTHORIZED = 401,
    HTTP_PROXY_AUTHENTICATION = 407,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
    HTTP_NOT_IMPLEMENTED = 501
};

/* What a SOCKS proxy has answered, or what is wrong with its answer. */
typedef struct socks_reason {
    long code;
    const char *text;
} socks_reason;

static const socks_reason socks_reasons[] = {
    { CURLPX_BAD_VERSION, "it does not speak SOCKS version 5" },
    { CURLPX_CLOSED, "it closed the connection" },
    { CURLPX_NO_AUTH, "it accepts no method of authentication that was offered; it may require a "
                      "user and password" },
    { CURLPX_USER_REJECTED, "it refused the user or password" },
    { CURLPX_LONG_USER, "the user is too long" },
    { CURLPX_LONG_PASSWD, "the password is too long" },
    { CURLPX_LONG_HOSTNAME, "the host name is too long" },
    { CURLPX_RECV_AUTH, "it closed the connection during authentication" },
    { CURLPX_RECV_CONNECT, "it closed the connection without an answer" },
    { CURLPX_RECV_ADDRESS, "its answer is incomplete" },
    { CURLPX_RECV_REQACK, "its answer is incomplete" },
    { CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED, "it does not support this kind of address" },
    { CURLPX_REPLY_COMMAND_NOT_SUPPORTED, "it does not support CONNECT" },
    { CURLPX_REPLY_CONNECTION_REFUSED, "the host refused its connection" },
    { CURLPX_REPLY_GENERAL_SERVER_FAILURE, "it reports a general failure" },
    { CURLPX_REPLY_HOST_UNREACHABLE, "it cannot reach the host" },
    { CURLPX_REPLY_NETWORK_UNREACHABLE, "it cannot reach the network of the host" },
    { CURLPX_REPLY_NOT_ALLOWED, "its rules do not allow this connection" },
    { CURLPX_REPLY_TTL_EXPIRED, "its connection to the host timed out" },
    { CURLPX_UNKNOWN_MODE, "it chose a method of authentication that was not offered" },
};

static const char *socks_text(long code)
{
    for (size_t i = 0; i < sizeof socks_reasons / sizeof socks_reasons[0]; i++) {
        if (socks_reasons[i].code == code) {
            return socks_reasons[i].text;
        }
    }
    return "its answer is not that of a SOCKS proxy";
}

static bool asks_for_user(long status)
{
    return status == HTTP_UNAUTHORIZED || status == HTTP_PROXY_AUTHENTICATION;
}

static bool is_busy(long status)
{
    return status == HTTP_TOO_MANY ||
           (status >= HTTP_SERVER_ERROR && status != HTTP_NOT_IMPLEMENTED);
}

static const char *refusal(const plat_tunnel_failure *f)
{
    if (asks_for_user(f->status)) {
        return f->has_user ? "it refused the user or password" : "it requires a user and password";
    }
    if (f->status == HTTP_NOT_IMPLEMENTED) {
        return "it does not support CONNECT";
    }
    return is_busy(f->status) ? "it cannot connect to the host now"
                              : "it does not allow a connection to the host";
}

static plat_result refused_by_status(const plat_tunnel_failure *f, char **detail)
{
    plat_failure_text_set(detail, "proxy %.80s: %s (HTTP status %ld for %.60s port %u)", f->proxy,
                          refusal(f), f->status, f->host, (unsigned)f->port);
    return is_busy(f->status) ? PLAT_ERR_UNAVAILABLE : PLAT_ERR_PROXY;
}

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

static const char *cause_text(const plat_tunnel_failure *f, char *text, size_t cap)
{
    if (f->os_error == 0 || f->code == CURLE_INTERFACE_FAILED || /* the remark names it */
        strerror_r((int)f->os_error, text, cap) != 0) {
        return f->remark;
    }
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* Explains a failure that occurred before the proxy was reached, or without a proxy. */
static plat_result not_reached(const plat_tunnel_failure *f, char **detail, plat_result r)
{
    char text[64];
    const char *cause = cause_text(f, text, sizeof text);

    if (f->direct || f->code == CURLE_COULDNT_RESOLVE_HOST) {
        plat_failure_text_set(detail, "%.80s port %u: %.100s", f->host, (unsigned)f->port, cause);
    } else {
        plat_failure_text_set(detail, "proxy %.80s: %.100s", f->proxy, cause);
    }
    return r;
}

static plat_result broken(const plat_tunnel_failure *f, char **detail)
{
    plat_failure_text_set(detail, "proxy %.80s: %s%.100s", f->proxy,
                          f->code == CURLE_RECV_ERROR || f->code == CURLE_GOT_NOTHING ||
                                  f->code == CURLE_SEND_ERROR
                              ? "it closed the connection or sent no valid answer: "
                              : "its answer is not valid: ",
                          f->remark);
    return PLAT_ERR_PROXY;
}

plat_result plat_tunnel_explain(const plat_tunnel_failure *f, char **detail)
{
    if (f->status != 0 && !is_success(f->status)) {
        return refused_by_status(f, detail);
    }
    switch ((int)f->code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: return not_reached(f, detail, PLAT_ERR_DNS);
    case CURLE_INTERFACE_FAILED:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT: return not_reached(f, detail, PLAT_ERR_CONNECT);
    case CURLE_SSL_CONNECT_ERROR: return not_reached(f, detail, PLAT_ERR_TLS);
    case CURLE_PEER_FAILED_VERIFICATION: return not_reached(f, detail, PLAT_ERR_CERT_UNTRUSTED);
    case CURLE_SSL_CACERT_BADFILE: return not_reached(f, detail, PLAT_ERR_TRUST_STORE);
    case CURLE_OUT_OF_MEMORY: return not_reached(f, detail, PLAT_ERR_MEMORY);
    case CURLE_PROXY:
        plat_failure_text_set(detail, "proxy %.80s: %s", f->proxy, socks_text(f->socks));
        return PLAT_ERR_PROXY;
    default: break;
    }
    return f->direct ? not_reached(f, detail, PLAT_ERR_IO) : broken(f, detail);
}
