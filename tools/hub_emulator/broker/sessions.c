#include "broker/sessions.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/text.h"

#define USER_NAME "$hub_emulator"
/* Most logins at the same time, since the broker's queue of connections to accept is short. */
#define AT_ONCE 16

void hub_sessions_init(hub_sessions *s)
{
    uint8_t bytes[32];

    *s = (hub_sessions){ 0 };
    hub_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(s->secret + 2 * i, 3, "%02x", bytes[i]);
    }
}

void hub_sessions_free(hub_sessions *s)
{
    for (size_t i = 0; i < s->pending_count; i++) {
        free(s->pending[i]);
    }
    for (size_t i = 0; i < s->fd_count; i++) {
        (void)close(s->fds[i]);
    }
    free(s->pending);
    free(s->fds);
    *s = (hub_sessions){ 0 };
}

void hub_sessions_end(hub_sessions *s, const char *client_id)
{
    s->pending = hub_realloc(s->pending, (s->pending_count + 1) * sizeof *s->pending);
    s->pending[s->pending_count++] = hub_strdup(client_id);
}

bool hub_sessions_owns(const hub_sessions *s, const char *user_name, const char *password)
{
    const size_t len = strlen(s->secret);

    return user_name != NULL && password != NULL && strcmp(user_name, USER_NAME) == 0 &&
           strlen(password) == len && hub_same_bytes(password, s->secret, len);
}

/* --- packets: MQTT 3.1.1, sections 3.1 and 3.14 --------------------------- */

static void add_text(hub_text *t, const char *text)
{
    const size_t len = strlen(text);
    const uint8_t prefix[] = { (uint8_t)(len >> 8), (uint8_t)len };

    hub_text_add(t, prefix, sizeof prefix);
    hub_text_add(t, text, len);
}

static void make_packets(const hub_sessions *s, const char *client_id, hub_text *out)
{
    static const uint8_t head[] = { 0, 4, 'M', 'Q', 'T', 'T', 4, 0xC2, 0, 60 };
    static const uint8_t disconnect[] = { 0xE0, 0 };
    hub_text body = { 0 };

    hub_text_add(&body, head, sizeof head);
    add_text(&body, client_id);
    add_text(&body, USER_NAME);
    add_text(&body, s->secret);
    const uint8_t start[] = { 0x10, (uint8_t)(0x80 | (body.len & 0x7F)), (uint8_t)(body.len >> 7) };
    hub_text_add(out, start, sizeof start);
    hub_text_add(out, body.p, body.len);
    hub_text_add(out, disconnect, sizeof disconnect);
    hub_text_free(&body);
}

/* --- on their way -------------------------------------------------------- */

static int log_in(const hub_sessions *s, const char *client_id)
{
    const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = HUB_SESSIONS_SOCKET };
    hub_text packets = { 0 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    make_packets(s, client_id, &packets);
    bool ok = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
              send(fd, packets.p, packets.len, MSG_NOSIGNAL) == (ssize_t)packets.len;
    hub_text_free(&packets);
    if (!ok) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void start_pending(hub_sessions *s)
{
    size_t done = 0;

    while (done < s->pending_count && s->fd_count < AT_ONCE) {
        int fd = log_in(s, s->pending[done]);
        if (fd < 0) {
            break; /* there is no free descriptor, so it is tried again later */
        }
        s->fds = hub_realloc(s->fds, (s->fd_count + 1) * sizeof *s->fds);
        s->fds[s->fd_count++] = fd;
        free(s->pending[done++]);
    }
    s->pending_count -= done;
    if (s->pending_count > 0) {
        memmove(s->pending, s->pending + done, s->pending_count * sizeof *s->pending);
    }
}

static void drop_ended(hub_sessions *s)
{
    char answer[16];

    for (size_t i = 0; i < s->fd_count;) {
        ssize_t n = recv(s->fds[i], answer, sizeof answer, MSG_DONTWAIT);
        if (n == 0) {
            (void)close(s->fds[i]);
            s->fds[i] = s->fds[--s->fd_count];
        } else if (n < 0) {
            i++; /* no event has arrived here yet */
        }
    }
}

void hub_sessions_run(hub_sessions *s)
{
    if (s->fd_count > 0) {
        drop_ended(s);
    }
    if (s->pending_count > 0) {
        start_pending(s);
    }
}
