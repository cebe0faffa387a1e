#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/http.h"

/* The other end of the connection: a thread that listens on a Unix socket, reads one request,
 * and sends a text. */
typedef struct peer {
    char dir[64];
    struct sockaddr_un address;
    int listener;
    pthread_t thread;
    const char *answer; /* is sent unchanged; NULL: nothing is sent until the client closes */
    bool in_bytes;      /* each byte is sent by a call of its own */
    unsigned requests;  /* number of requests that serve_first has received */
    char request[8192]; /* the bytes that the client has sent, NUL-terminated */
} peer;

/* Returns whether the headers, and as much of the body as Content-Length says, have arrived. */
static bool is_complete(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");

    if (end == NULL) {
        return false;
    }
    return length == NULL || strlen(end + 4) >= (size_t)atol(length + 16);
}

static void read_request(peer *p, int fd)
{
    size_t len = 0;

    while (len + 1 < sizeof p->request && !is_complete(p->request)) {
        ssize_t n = read(fd, p->request + len, sizeof p->request - 1 - len);
        if (n <= 0) {
            return;
        }
        len += (size_t)n;
        p->request[len] = '\0';
    }
}

static void send_answer(const peer *p, int fd)
{
    const size_t step = p->in_bytes ? 1 : strlen(p->answer);

    for (const char *at = p->answer; *at != '\0'; at += step) {
        if (send(fd, at, step, MSG_NOSIGNAL) < 0) {
            return;
        }
    }
}

static void *serve(void *user)
{
    peer *p = user;
    int fd = accept(p->listener, NULL, NULL);

    if (fd < 0) {
        return NULL;
    }
    read_request(p, fd);
    if (p->answer != NULL) {
        send_answer(p, fd);
    } else {
        char c;
        (void)!read(fd, &c, 1); /* waits until the client gives up */
    }
    (void)close(fd);
    return NULL;
}

static void count_request(peer *p, int fd)
{
    p->request[0] = '\0';
    read_request(p, fd);
    if (p->request[0] != '\0') {
        p->requests++;
    }
}

/* Answers the first request, keeps its connection, and closes the connection of each later one. */
static void *serve_first(void *user)
{
    peer *p = user;
    int first = accept(p->listener, NULL, NULL);
    int next;

    count_request(p, first);
    send_answer(p, first);
    struct pollfd polls[2] = { { .fd = first, .events = POLLIN },
                               { .fd = p->listener, .events = POLLIN } };
    (void)poll(polls, 2, -1);
    if (polls[0].revents != 0) { /* the second request came on the same connection */
        count_request(p, first);
    }
    (void)close(first);
    while ((next = accept(p->listener, NULL, NULL)) >= 0) {
        count_request(p, next);
        (void)close(next);
    }
    return NULL;
}

static void peer_start_with(peer *p, const char *answer, void *(*serve_it)(void *user))
{
    memset(p, 0, sizeof *p);
    p->answer = answer;
    strcpy(p->dir, "/tmp/iothub_http.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->address.sun_family = AF_UNIX;
    snprintf(p->address.sun_path, sizeof p->address.sun_path, "%s/socket", p->dir);
    p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(p->listener >= 0);
    assert_int_equal(bind(p->listener, (const struct sockaddr *)&p->address, sizeof p->address), 0);
    assert_int_equal(listen(p->listener, 4), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, serve_it, p), 0);
}

static void peer_start(peer *p, const char *answer)
{
    peer_start_with(p, answer, serve);
}

static void peer_end(peer *p)
{
    (void)shutdown(p->listener, SHUT_RDWR); /* wakes a waiting accept */
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    (void)close(p->listener);
    (void)unlink(p->address.sun_path);
    assert_int_equal(rmdir(p->dir), 0);
}

static plat_http *make(void)
{
    plat_http *http = NULL;

    assert_int_equal(plat_curl_http_new(&http), PLAT_OK);
    return http;
}

static plat_http_request request_to(const peer *p)
{
    return (plat_http_request){
        .method = "GET",
        .url = "http://workload/trust-bundle?api-version=1",
        .unix_socket = p->address.sun_path,
        .answer_max = 1000,
        .timeout_ms = 60000,
    };
}

/* Calls progress until the request has ended. */
static plat_result finish(plat_http *http, plat_http_answer *answer)
{
    plat_result r;

    while ((r = http->ops->progress(http, answer)) == PLAT_WOULD_BLOCK) {
        http->ops->wait(http, 1000);
    }
    return r;
}

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* --- what is sent and received --------------------------------------------------------------- */

static void the_request_is_sent_as_it_was_given_and_the_answer_arrives(void **state)
{
    (void)state;
    static const char *const headers[] = { "Content-Type: application/json", "X-One: 1" };
    peer p;
    peer_start(&p, "HTTP/1.1 201 Created\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nhello");
    plat_http *http = make();
    plat_http_request r = request_to(&p);
    r.method = "POST";
    r.headers = headers;
    r.header_count = 2;
    char body[] = "{\"a\":1}";
    r.body = body;
    r.body_len = 7;
    r.copy_body = true;
    plat_http_answer answer;

    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    memset(body, 'x', 7); /* the body was copied, so this change has no effect */
    assert_int_equal(finish(http, &answer), PLAT_OK);

    assert_int_equal(answer.status, 201);
    assert_int_equal(answer.retry_after_s, 7);
    assert_int_equal(answer.body_len, 5);
    assert_string_equal(answer.body, "hello");
    assert_string_equal(http->ops->detail(http), "");
    http->ops->free(http);
    peer_end(&p);
    assert_ptr_equal(strstr(p.request, "POST /trust-bundle?api-version=1 HTTP/1.1\r\n"), p.request);
    assert_non_null(strstr(p.request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(p.request, "X-One: 1\r\n"));
    assert_non_null(strstr(p.request, "\r\n\r\n{\"a\":1}"));
}

static void an_answer_may_arrive_byte_by_byte_and_without_a_body(void **state)
{
    (void)state;
    peer p;
    peer_start(&p, "HTTP/1.1 204 No Content\r\n\r\n");
    p.in_bytes = true;
    plat_http *http = make();
    const plat_http_request r = request_to(&p);
    plat_http_answer answer;

    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    assert_int_equal(finish(http, &answer), PLAT_OK);

    assert_int_equal(answer.status, 204);
    assert_string_equal(answer.body, "");
    http->ops->free(http);
    peer_end(&p);
}

/* Waits with poll(2), only for what the object reports. */
static void an_event_loop_needs_only_what_poll_reports(void **state)
{
    (void)state;
    peer p;
    peer_start(&p, ANSWER);
    plat_http *http = make();
    const plat_http_request r = request_to(&p);
    plat_http_answer answer;
    plat_result result;

    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    while ((result = http->ops->progress(http, &answer)) == PLAT_WOULD_BLOCK) {
        plat_poll polls[PLAT_HTTP_POLLS];
        struct pollfd fds[PLAT_HTTP_POLLS];
        int wake_in_ms;
        http->ops->poll(http, polls, &wake_in_ms);
        for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
            fds[i].fd = (int)polls[i].fd;
            fds[i].events =
                (short)((polls[i].want_read ? POLLIN : 0) | (polls[i].want_write ? POLLOUT : 0));
        }
        assert_true(poll(fds, PLAT_HTTP_POLLS, wake_in_ms) >= 0);
    }
    assert_int_equal(result, PLAT_OK);
    assert_string_equal(answer.body, "hello");
    http->ops->free(http);
    peer_end(&p);
}

static void one_object_makes_many_requests(void **state)
{
    (void)state;
    plat_http *http = make();

    for (int i = 0; i < 20; i++) {
        peer p;
        peer_start(&p, ANSWER);
        const plat_http_request r = request_to(&p);
        plat_http_answer answer;
        assert_int_equal(http->ops->start(http, &r), PLAT_OK);
        assert_int_equal(finish(http, &answer), PLAT_OK);
        assert_int_equal(answer.body_len, 5);
        peer_end(&p);
    }
    http->ops->free(http);
}

/* --- failures -------------------------------------------------------------------------------- */

static plat_result try_answer(const char *text, size_t answer_max, uint32_t timeout_ms,
                              char *detail, size_t cap)
{
    peer p;
    peer_start(&p, text);
    plat_http *http = make();
    plat_http_request r = request_to(&p);
    r.answer_max = answer_max;
    r.timeout_ms = timeout_ms;
    plat_http_answer answer;

    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    plat_result result = finish(http, &answer);
    snprintf(detail, cap, "%s", http->ops->detail(http));
    /* The failed request has ended, so the object can be used again. */
    assert_int_equal(http->ops->progress(http, &answer), PLAT_ERR_STATE);
    http->ops->free(http);
    peer_end(&p);
    return result;
}

static void an_answer_above_its_limit_is_an_error_at_the_limit_it_is_not(void **state)
{
    (void)state;
    char detail[300];

    assert_int_equal(try_answer(ANSWER, 5, 60000, detail, sizeof detail), PLAT_OK);
    assert_int_equal(try_answer(ANSWER, 4, 60000, detail, sizeof detail), PLAT_ERR_NO_SPACE);
    assert_string_equal(detail, "HTTP answer: more than 4 bytes");
}

static void every_truncated_answer_is_an_error(void **state)
{
    (void)state;
    char detail[300];

    for (size_t len = 0; len < strlen(ANSWER); len++) {
        char cut[sizeof ANSWER] = { 0 };
        memcpy(cut, ANSWER, len);
        assert_int_equal(try_answer(cut, 100, 60000, detail, sizeof detail), PLAT_ERR_IO);
        assert_non_null(strstr(detail, "HTTP: "));
    }
}

static void a_server_that_does_not_answer_costs_the_time_limit_only(void **state)
{
    (void)state;
    char detail[300];

    assert_int_equal(try_answer(NULL, 100, 30, detail, sizeof detail), PLAT_ERR_IO);
    assert_non_null(strstr(detail, "timed out"));
}

static void a_socket_that_nobody_listens_on_is_an_error(void **state)
{
    (void)state;
    plat_http *http = make();
    const plat_http_request r = {
        .method = "GET",
        .url = "http://workload/",
        .unix_socket = "/nonexistent/socket",
        .timeout_ms = 60000,
    };
    plat_http_answer answer;

    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    assert_int_equal(finish(http, &answer), PLAT_ERR_CONNECT);
    http->ops->free(http);
}

static void a_request_that_cannot_be_bound_does_not_connect(void **state)
{
    (void)state;
    static const char *const wrong[] = { "nope0", "192.0.2.1" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        plat_http *http = make();
        const plat_http_request r = {
            .method = "GET",
            .url = "http://127.0.0.1:1/",
            .bind = wrong[i],
            .timeout_ms = 60000,
        };
        plat_http_answer answer;

        assert_int_equal(http->ops->start(http, &r), PLAT_OK);
        assert_int_equal(finish(http, &answer), PLAT_ERR_CONNECT);
        assert_non_null(strstr(http->ops->detail(http), "bind"));
        http->ops->free(http);
    }
}

static void a_request_that_is_not_valid_is_refused_with_its_part(void **state)
{
    (void)state;
    static const char *const split[] = { "X: 1\r\nY: 2" };
    static const struct {
        const char *part;
        plat_http_request r;
    } cases[] = {
        { "method", { .url = "http://h/", .timeout_ms = 1 } },
        { "url", { .method = "GET", .timeout_ms = 1 } },
        { "timeout_ms", { .method = "GET", .url = "http://h/" } },
        { "headers", { .method = "GET", .url = "http://h/", .timeout_ms = 1, .header_count = 1 } },
        { "line break",
          { .method = "GET",
            .url = "http://h/",
            .timeout_ms = 1,
            .headers = split,
            .header_count = 1 } },
        { "body", { .method = "PUT", .url = "http://h/", .timeout_ms = 1, .body_len = 1 } },
    };
    plat_http *http = make();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(http->ops->start(http, &cases[i].r), PLAT_ERR_ARG);
        assert_non_null(strstr(http->ops->detail(http), cases[i].part));
    }
    http->ops->free(http);
}

static void files_and_other_protocols_are_not_opened(void **state)
{
    (void)state;
    static const char *const urls[] = { "file:///etc/passwd", "ftp://h/", "no url at all" };
    plat_http *http = make();

    for (size_t i = 0; i < 3; i++) {
        const plat_http_request r = { .method = "GET",
                                      .url = urls[i],
                                      .unix_socket = "/nonexistent/socket",
                                      .answer_max = 1000,
                                      .timeout_ms = 60000 };
        plat_http_answer answer;
        plat_result result = http->ops->start(http, &r);
        if (result == PLAT_OK) {
            result = finish(http, &answer);
        }
        assert_true(result == PLAT_ERR_ARG || result == PLAT_ERR_CONNECT);
    }
    http->ops->free(http);
}

/* libcurl would send it again if a connection that was used before ends without an answer. */
static void a_post_is_sent_at_most_once(void **state)
{
    (void)state;
    peer p;
    plat_http_answer answer;
    peer_start_with(&p, ANSWER, serve_first);
    plat_http *http = make();
    plat_http_request request = request_to(&p);

    assert_int_equal(http->ops->start(http, &request), PLAT_OK);
    assert_int_equal(finish(http, &answer), PLAT_OK);
    request.method = "POST";
    request.body = "{}";
    request.body_len = 2;
    assert_int_equal(http->ops->start(http, &request), PLAT_OK);
    assert_int_equal(finish(http, &answer), PLAT_ERR_IO);
    http->ops->free(http);
    peer_end(&p);
    assert_int_equal(p.requests, 2);
}

static void one_request_at_a_time_and_cancel_makes_room(void **state)
{
    (void)state;
    peer p;
    peer_start(&p, NULL);
    plat_http *http = make();
    const plat_http_request r = request_to(&p);
    plat_http_answer answer;

    assert_int_equal(http->ops->progress(http, &answer), PLAT_ERR_STATE);
    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    assert_int_equal(http->ops->start(http, &r), PLAT_ERR_STATE);
    http->ops->cancel(http);
    assert_int_equal(http->ops->start(http, &r), PLAT_OK);
    http->ops->free(http); /* also ends the request in progress */
    peer_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_sent_as_it_was_given_and_the_answer_arrives),
        cmocka_unit_test(an_answer_may_arrive_byte_by_byte_and_without_a_body),
        cmocka_unit_test(an_event_loop_needs_only_what_poll_reports),
        cmocka_unit_test(one_object_makes_many_requests),
        cmocka_unit_test(an_answer_above_its_limit_is_an_error_at_the_limit_it_is_not),
        cmocka_unit_test(every_truncated_answer_is_an_error),
        cmocka_unit_test(a_server_that_does_not_answer_costs_the_time_limit_only),
        cmocka_unit_test(a_socket_that_nobody_listens_on_is_an_error),
        cmocka_unit_test(a_request_that_cannot_be_bound_does_not_connect),
        cmocka_unit_test(a_request_that_is_not_valid_is_refused_with_its_part),
        cmocka_unit_test(files_and_other_protocols_are_not_opened),
        cmocka_unit_test(a_post_is_sent_at_most_once),
        cmocka_unit_test(one_request_at_a_time_and_cancel_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
