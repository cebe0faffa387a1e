#ifndef TEST_FAKE_HTTP_H
#define TEST_FAKE_HTTP_H

/**
 * @file
 * Makes HTTP requests without a network. The test sees each request and decides how it ends.
 */

#include "platform/http.h"

typedef struct fake_http {
    plat_http base;
    /* These members decide how requests end; the test may set them at any time. */
    plat_result start_result; /* result of start */
    plat_result result;       /* result of progress; PLAT_WOULD_BLOCK: the request has not ended */
    int status;
    const char *body;

    /* These members record the last request. */
    unsigned starts;
    unsigned cancels;
    bool in_progress;
    char method[16], url[2048], unix_socket[256];
    char headers[4096]; /* each header on its own line */
    char sent[8192];    /* the body, NUL-terminated; the end of a long one is cut off */
    char ca[256];       /* "file:PATH" or "data:TEXT"; "" means the roots of the system */
    uint32_t timeout_ms;
} fake_http;

/** Initialises it so that requests end with status 200 and the body "{}". */
void fake_http_init(fake_http *h);

#endif
