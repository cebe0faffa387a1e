#include "curl/curl_bind.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>

/* Longer than any interface or address, so that libcurl refuses a text that was cut. */
enum { TEXT_MAX = 128 };

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* Without the prefix, libcurl would look the text up as a host name. */
CURLcode plat_curl_bind(CURL *easy, const char *bind)
{
    char text[TEXT_MAX];

    if (bind == NULL) {
        return CURLE_OK;
    }
    if (bind[0] == '\0') { /* libcurl would bind to nothing */
        return CURLE_BAD_FUNCTION_ARGUMENT;
    }
    (void)snprintf(text, sizeof text, "%s!%s", is_address(bind) ? "host" : "if", bind);
    return curl_easy_setopt(easy, CURLOPT_INTERFACE, text);
}
