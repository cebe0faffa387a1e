#include "front_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "front/connect_packet.h"
#include "front/sockets.h"

#define WAIT_S  60
#define CONNACK "\x20\x02\x00\x00"

/* Parts of frames, RFC 6455, section 5.2. */
#define BINARY    0x82
#define CLOSE     0x88
#define MASKED    0x80
#define LENGTH_16 126
#define LENGTH_64 127
#define MASK_LEN  4

static front_transport transport;

void front_fixture_choose(int argc, char **argv)
{
    transport =
        argc > 1 && strcmp(argv[1], "websocket") == 0 ? FRONT_OVER_WEBSOCKET : FRONT_OVER_TLS;
}

static void write_file(const char *dir, const char *name, char *text)
{
    char *path = hub_format("%s/%s", dir, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
    free(text);
}

static void make_server(const char *dir)
{
    made_certificate server;
    const int64_t now_s = (int64_t)time(NULL);

    made_init(&server,
              &(made_plan){ "localhost", NULL, now_s - 1000, now_s + 1000, false, -1, true });
    write_file(dir, "server.crt", made_pem(&server));
    write_file(dir, "server.key", made_key_pem(&server));
    made_deinit(&server);
}

static void remove_file(const char *dir, const char *name)
{
    char *path = hub_format("%s/%s", dir, name);
    (void)unlink(path);
    free(path);
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        n++;
    }
    (void)closedir(dir);
    return n;
}

static int listen_tcp(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 100), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

void front_fixture_listen(front_fixture *f)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/broker", f->dir);
    f->broker = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(f->broker, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(f->broker, 10), 0);
}

void front_fixture_start(front_fixture *f, int64_t login_ms, int64_t linger_ms)
{
    int pair[2];
    int calls[2];
    hub_fault fault;

    *f = (front_fixture){ .broker = -1 };
    (void)strcpy(f->dir, "/tmp/test_hub_front.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    make_server(f->dir);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, calls), 0);
    assert_true(gnutls_certificate_allocate_credentials(&f->nobody) >= 0);
    f->notes = pair[1];
    f->calls = calls[1];
    const hub_front_config config = {
        .listening = { { listen_tcp(&f->ports[HUB_FRONT_MQTTS]), -1 },
                       { listen_tcp(&f->ports[HUB_FRONT_HTTPS]), -1 } },
        .state_dir = f->dir,
        .broker_name = "broker",
        .secret = FRONT_SECRET,
        .notes = pair[0],
        .calls = calls[0],
        .timing = { login_ms, linger_ms },
    };
    assert_int_equal(hub_front_start(&f->front, &config, &fault), HUB_OK);
    front_fixture_listen(f);
    f->descriptors = count_descriptors();
}

void front_fixture_wait_quiet(const front_fixture *f)
{
    const struct timespec pause = { .tv_nsec = 1000000 };

    for (int i = 0; i < WAIT_S * 1000; i++) {
        if (count_descriptors() == f->descriptors) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("%d descriptors are open, %d were", count_descriptors(), f->descriptors);
}

void front_fixture_stop(front_fixture *f)
{
    front_fixture_wait_quiet(f);
    hub_front_stop(f->front);
    (void)close(f->broker);
    (void)close(f->notes);
    (void)close(f->calls);
    gnutls_certificate_free_credentials(f->nobody);
    remove_file(f->dir, "server.crt");
    remove_file(f->dir, "server.key");
    remove_file(f->dir, "broker");
    assert_int_equal(rmdir(f->dir), 0);
}

static void limit_wait(int fd)
{
    const struct timeval wait = { .tv_sec = WAIT_S };

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), 0);
}

int front_fixture_accept(const front_fixture *f)
{
    limit_wait(f->broker);
    int fd = accept(f->broker, NULL, NULL);
    assert_true(fd >= 0);
    limit_wait(fd);
    return fd;
}

/* --- bytes ------------------------------------------------------------- */

bool wait_for(int fd, short events, int ms)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, ms) == 1;
}

/* A socket that accepts no byte for this time counts as full. */
enum { FULL_MS = 100 };

uint8_t front_pattern(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

/* Fills chunk with the bytes of the pattern from `from` on. */
static void put_pattern(uint8_t *chunk, size_t len, size_t from)
{
    for (size_t i = 0; i < len; i++) {
        chunk[i] = front_pattern(from + i);
    }
}

size_t front_fill(int fd)
{
    static uint8_t chunk[16384];
    size_t total = 0;

    while (total < FRONT_FULL && wait_for(fd, POLLOUT, FULL_MS)) {
        put_pattern(chunk, sizeof chunk, total);
        ssize_t n = send(fd, chunk, sizeof chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
        total += n > 0 ? (size_t)n : 0;
    }
    return total;
}

size_t front_fill_tls(tls_client *c)
{
    static uint8_t chunk[16384];
    size_t total = 0;
    bool interrupted = false; /* the record is sent in part */

    gnutls_transport_set_int(c->session, c->fd);
    while (total < FRONT_FULL && (!interrupted || wait_for(c->fd, POLLOUT, FULL_MS))) {
        put_pattern(chunk, sizeof chunk, total);
        ssize_t n = interrupted ? gnutls_record_send(c->session, NULL, 0)
                                : gnutls_record_send(c->session, chunk, sizeof chunk);
        interrupted = n < 0;
        total += n > 0 ? (size_t)n : 0;
    }
    return total;
}

void read_all(int fd, void *buffer, size_t len)
{
    uint8_t *at = buffer;

    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

void write_all(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

bool ends(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* --- clients ----------------------------------------------------------- */

static hub_front_service service_of_transport(void)
{
    return transport == FRONT_OVER_WEBSOCKET ? HUB_FRONT_HTTPS : HUB_FRONT_MQTTS;
}

int tcp_connect(const front_fixture *f)
{
    return tcp_connect_to(f, service_of_transport());
}

int tcp_connect_to(const front_fixture *f, hub_front_service service)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)f->ports[service]) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    hub_socket_send_at_once(fd);
    limit_wait(fd);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void tls_client_init(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials)
{
    tls_client_init_to(c, f, service_of_transport(), priorities, credentials);
}

void tls_client_init_to(tls_client *c, const front_fixture *f, hub_front_service service,
                        const char *priorities, gnutls_certificate_credentials_t credentials)
{
    *c = (tls_client){ .fd = tcp_connect_to(f, service) };
    assert_true(gnutls_init(&c->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) >= 0);
    assert_true(gnutls_priority_set_direct(c->session, priorities, NULL) >= 0);
    assert_true(gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE,
                                       credentials != NULL ? credentials : f->nobody) >= 0);
    gnutls_transport_set_int(c->session, c->fd);
}

static int shake_hands(tls_client *c)
{
    int code;

    do {
        code = gnutls_handshake(c->session);
    } while (code < 0 && gnutls_error_is_fatal(code) == 0);
    return code;
}

void tls_client_open(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials)
{
    tls_client_init(c, f, priorities, credentials);
    tls_client_begin(c);
}

static void upgrade(tls_client *c)
{
    static const char request[] =
        "GET /$iothub/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    static const char start[] = "HTTP/1.1 101 ";
    char head[1024];
    size_t len = 0;

    tls_client_send_raw(c, request, strlen(request));
    do {
        assert_true(len < sizeof head);
        tls_client_receive_raw(c, head + len++, 1);
    } while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0);
    assert_memory_equal(head, start, strlen(start));
    c->framed = true;
}

void tls_client_begin(tls_client *c)
{
    assert_int_equal(shake_hands(c), 0);
    if (transport == FRONT_OVER_WEBSOCKET) {
        upgrade(c);
    }
}

void add_frame(hub_text *out, uint8_t first, const void *data, size_t len)
{
    static const uint8_t mask[MASK_LEN] = { 1, 2, 3, 4 };
    const uint8_t *bytes = data;
    const uint8_t head[] = { first,
                             len < LENGTH_16 ? (uint8_t)(MASKED | len)
                             : len < 65536   ? MASKED | LENGTH_16
                                             : MASKED | LENGTH_64,
                             0,
                             0,
                             0,
                             0,
                             (uint8_t)(len >> 24),
                             (uint8_t)(len >> 16),
                             (uint8_t)(len >> 8),
                             (uint8_t)len };

    hub_text_add(out, head, 2);
    if (len >= 65536) {
        hub_text_add(out, head + 2, 8);
    } else if (len >= LENGTH_16) {
        hub_text_add(out, head + 8, 2);
    }
    hub_text_add(out, mask, MASK_LEN);
    for (size_t i = 0; i < len; i++) {
        const uint8_t masked = bytes[i] ^ mask[i % MASK_LEN];
        hub_text_add(out, &masked, 1);
    }
}

void tls_client_send(tls_client *c, const void *data, size_t len)
{
    hub_text frame = { 0 };

    if (!c->framed) {
        tls_client_send_raw(c, data, len);
        return;
    }
    add_frame(&frame, BINARY, data, len);
    tls_client_send_raw(c, frame.p, frame.len);
    hub_text_free(&frame);
}

void tls_client_send_raw(tls_client *c, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len > 0) {
        ssize_t n = gnutls_record_send(c->session, at, len);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

/* With TLS 1.3, GnuTLS reports a new ticket as an interruption. */
static ssize_t receive_some(tls_client *c, void *buffer, size_t len)
{
    ssize_t n;

    do {
        n = gnutls_record_recv(c->session, buffer, len);
    } while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    return n;
}

/* Reads the head of the next frame, which must be a data frame without a mask. */
static void begin_frame(tls_client *c)
{
    uint8_t head[8];
    size_t more;

    tls_client_receive_raw(c, head, 2);
    assert_int_equal(head[0], BINARY);
    assert_true(head[1] <= LENGTH_64);
    c->frame_left = head[1];
    more = head[1] == LENGTH_16 ? 2 : head[1] == LENGTH_64 ? 8 : 0;
    if (more > 0) {
        c->frame_left = 0;
        tls_client_receive_raw(c, head, more);
    }
    for (size_t i = 0; i < more; i++) {
        c->frame_left = c->frame_left << 8 | head[i];
    }
}

void tls_client_receive(tls_client *c, void *buffer, size_t len)
{
    uint8_t *at = buffer;

    if (!c->framed) {
        tls_client_receive_raw(c, buffer, len);
        return;
    }
    while (len > 0) {
        if (c->frame_left == 0) {
            begin_frame(c);
        }
        const size_t n = len < c->frame_left ? len : c->frame_left;
        tls_client_receive_raw(c, at, n);
        c->frame_left -= n;
        at += n;
        len -= n;
    }
}

void tls_client_receive_raw(tls_client *c, void *buffer, size_t len)
{
    uint8_t *at = buffer;

    while (len > 0) {
        ssize_t n = receive_some(c, at, len);
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

/* Reads a close frame of WebSocket, if there is one: two bytes, or four with a code. */
static ssize_t receive_close(tls_client *c)
{
    uint8_t rest[3];
    uint8_t byte;
    ssize_t n = receive_some(c, &byte, 1);

    if (n != 1 || byte != CLOSE) {
        return n;
    }
    tls_client_receive_raw(c, rest, 1);
    assert_true(rest[0] == 0 || rest[0] == 2);
    tls_client_receive_raw(c, rest + 1, rest[0]);
    return receive_some(c, &byte, 1);
}

bool tls_client_ends(tls_client *c)
{
    uint8_t byte;
    ssize_t n = c->framed ? receive_close(c) : receive_some(c, &byte, 1);

    return n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION || n == GNUTLS_E_PULL_ERROR ||
           n == GNUTLS_E_FATAL_ALERT_RECEIVED;
}

void tls_client_close(tls_client *c)
{
    (void)gnutls_bye(c->session, GNUTLS_SHUT_WR);
    gnutls_deinit(c->session);
    (void)close(c->fd);
}

/* --- packets ----------------------------------------------------------- */

static void add_field(hub_text *t, const char *text)
{
    const size_t len = strlen(text);
    const uint8_t prefix[] = { (uint8_t)(len >> 8), (uint8_t)len };

    hub_text_add(t, prefix, sizeof prefix);
    hub_text_add(t, text, len);
}

hub_text connect_of_device(const char *password)
{
    const uint8_t head[] = { 4, password != NULL ? 0xC2 : 0x82, 0, 60 };
    hub_text body = { 0 };
    hub_text out = { 0 };

    add_field(&body, "MQTT");
    hub_text_add(&body, head, sizeof head);
    add_field(&body, "device1");
    add_field(&body, "localhost/device1/?api-version=2021-04-12");
    if (password != NULL) {
        add_field(&body, password);
    }
    assert_true(body.len < 128);
    const uint8_t start[] = { 0x10, (uint8_t)body.len };
    hub_text_add(&out, start, sizeof start);
    hub_text_add(&out, body.p, body.len);
    hub_text_free(&body);
    return out;
}

/* --- logins ------------------------------------------------------------ */

/* Reads the CONNECT that the broker receives, and returns the password in it; the caller frees
 * it. */
char *front_fixture_read_connect(int broker, hub_envelope *e, uint64_t expected_number)
{
    uint8_t packet[60000];
    hub_connect_packet c;
    size_t len = 0;

    do {
        assert_true(len < sizeof packet);
        read_all(broker, packet + len++, 1);
    } while (hub_connect_read(&c, packet, len) == HUB_CONNECT_PART);
    assert_int_equal(hub_connect_read(&c, packet, len), HUB_CONNECT_WHOLE);
    assert_int_equal(c.client_id.len, strlen("device1"));
    assert_memory_equal(packet + c.client_id.at, "device1", c.client_id.len);
    char *password = hub_memdup(packet + c.password.at, c.password.len);
    assert_true(hub_envelope_read(e, password, FRONT_SECRET));
    assert_true(expected_number == 0 || e->number == expected_number);
    return password;
}

/* Logs a client in, and returns the broker's end of its connection. */
int front_fixture_open_pair(const front_fixture *f, tls_client *c, const char *priorities)
{
    hub_text packet = connect_of_device("secret");
    hub_envelope e;
    char answer[4];

    tls_client_open(c, f, priorities, NULL);
    tls_client_send(c, packet.p, packet.len);
    int broker = front_fixture_accept(f);
    free(front_fixture_read_connect(broker, &e, 0));
    write_all(broker, CONNACK, 4);
    tls_client_receive(c, answer, 4);
    assert_memory_equal(answer, CONNACK, 4);
    hub_text_free(&packet);
    return broker;
}

void front_fixture_close_pair(tls_client *c, int broker)
{
    tls_client_close(c);
    assert_true(ends(broker));
    (void)close(broker);
}
