#ifndef TEST_FAKE_HTTP_H
#define TEST_FAKE_HTTP_H

/**
 * @file
 * HTTP requests without a network: the test sees each request and says how it ends.
 */

#include "platform/http.h"

typedef struct fake_http {
    plat_http base;
    /* These members decide how requests end; the test may set them at any time. */
    plat_result start_result; /* of start */
    plat_result result;       /* of progress; PLAT_WOULD_BLOCK: not yet */
    int status;
    const char *body;

    /* These members record the last request. */
    unsigned starts;
    unsigned cancels;
    bool in_progress;
    char method[16], url[2048], unix_socket[256];
    char headers[4096]; /* one line each */
    char sent[8192];    /* the body; cut, NUL-terminated */
    char ca[256];       /* "file:PATH" or "data:TEXT"; "": the system's */
    uint32_t timeout_ms;
} fake_http;

/** Requests end with status 200 and the body "{}". */
void fake_http_init(fake_http *h);

#endif
