#include "fake_http.h"

#include <stdio.h>
#include <string.h>

static fake_http *self(plat_http *h)
{
    return (fake_http *)h;
}

static void copy(char *to, size_t cap, const char *from)
{
    snprintf(to, cap, "%s", from != NULL ? from : "");
}

static void record(fake_http *h, const plat_http_request *r)
{
    size_t at = 0;

    copy(h->method, sizeof h->method, r->method);
    copy(h->url, sizeof h->url, r->url);
    copy(h->unix_socket, sizeof h->unix_socket, r->unix_socket);
    h->headers[0] = '\0';
    for (size_t i = 0; i < r->header_count && at < sizeof h->headers; i++) {
        at += (size_t)snprintf(h->headers + at, sizeof h->headers - at, "%s\n", r->headers[i]);
    }
    snprintf(h->sent, sizeof h->sent, "%.*s", (int)r->body_len,
             r->body != NULL ? (const char *)r->body : "");
    h->ca[0] = '\0';
    if (r->ca_data != NULL) {
        snprintf(h->ca, sizeof h->ca, "data:%.*s", (int)r->ca_len, (const char *)r->ca_data);
    } else if (r->ca_file != NULL) {
        snprintf(h->ca, sizeof h->ca, "file:%s", r->ca_file);
    }
    h->timeout_ms = r->timeout_ms;
}

static plat_result start(plat_http *base, const plat_http_request *r)
{
    fake_http *h = self(base);

    if (h->in_progress) {
        return PLAT_ERR_STATE;
    }
    if (h->start_result != PLAT_OK) {
        return h->start_result;
    }
    record(h, r);
    h->starts++;
    h->in_progress = true;
    return PLAT_OK;
}

static plat_result progress(plat_http *base, plat_http_answer *answer)
{
    fake_http *h = self(base);

    if (!h->in_progress) {
        return PLAT_ERR_STATE;
    }
    if (h->result == PLAT_WOULD_BLOCK) {
        return PLAT_WOULD_BLOCK;
    }
    h->in_progress = false;
    if (h->result == PLAT_OK) {
        *answer =
            (plat_http_answer){ .status = h->status, .body = h->body, .body_len = strlen(h->body) };
    }
    return h->result;
}

static void poll_nothing(plat_http *base, plat_poll *polls, int *wake_in_ms)
{
    (void)base;
    for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
        polls[i] = (plat_poll){ .fd = -1 };
    }
    *wake_in_ms = -1;
}

/* Ends a request that the test keeps open, because otherwise the caller would wait forever. */
static void wait(plat_http *base, uint32_t max_ms)
{
    fake_http *h = self(base);

    (void)max_ms;
    if (h->result == PLAT_WOULD_BLOCK) {
        h->result = PLAT_OK;
    }
}

static const char *detail(const plat_http *base)
{
    const fake_http *h = (const fake_http *)base;

    return h->start_result != PLAT_OK || h->result != PLAT_OK ? "the fake fails" : "";
}

static void cancel(plat_http *base)
{
    fake_http *h = self(base);

    h->cancels += h->in_progress ? 1 : 0;
    h->in_progress = false;
}

static const plat_http_ops ops = {
    .start = start,
    .progress = progress,
    .poll = poll_nothing,
    .wait = wait,
    .detail = detail,
    .cancel = cancel,
    .free = cancel,
};

void fake_http_init(fake_http *h)
{
    memset(h, 0, sizeof *h);
    h->base.ops = &ops;
    h->status = 200;
    h->body = "{}";
}
