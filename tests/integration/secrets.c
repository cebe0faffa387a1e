/* Uses secrets, and stops at certain moments, so that test_secrets.py can search its memory.
 *
 * usage: secrets PORT REST_PORT    (IOTHUB_CA_FILE, IOTHUB_TRANSPORT)
 *
 * It reads two lines from standard input for the client, and two more for the upload: the
 * connection string of a device and the URL of a proxy. It erases its own copies of them as soon
 * as it may. At each moment it prints one word
 * and waits for a byte of standard input:
 *
 *   connected  a client is connected through the proxy, and the hub has acknowledged a message
 *   freed      the client has ended
 *   uploading  an upload has sent a block
 *   uploaded   the upload has ended, and was freed */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <iothub/client.h>
#include <iothub/upload.h>

#include "network.h"

enum { LINE = 1024, BLOCKS = 4, BLOCK = 1024 };

/* Stdio would keep what it has read. */
static bool read_line(char line[LINE])
{
    for (size_t len = 0; len < LINE && read(STDIN_FILENO, line + len, 1) == 1; len++) {
        if (line[len] == '\n') {
            line[len] = '\0';
            return true;
        }
    }
    return false;
}

static void stop_at(const char *moment)
{
    char byte;

    printf("%s\n", moment);
    (void)fflush(stdout);
    if (read(STDIN_FILENO, &byte, 1) != 1) {
        exit(1);
    }
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    (void)c;
    *(bool *)user = d->result == IOTHUB_OK;
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    (void)c;
    (void)user;
    fprintf(stderr, "%s: %s\n", iothub_state_str(s->state), s->text);
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "%s: %s\n", module, text);
}

/* The client copies the connection string, and borrows the URL of the proxy. */
static iothub_client *make_client(iothub_options *o, char proxy[LINE], bool *arrived)
{
    char connection_string[LINE];
    iothub_error error;

    if (!read_line(connection_string) || !read_line(proxy)) {
        return NULL;
    }
    o->proxy = proxy;
    o->callbacks.done = on_done;
    o->callbacks.status = on_status;
    o->callbacks.log = on_log;
    o->log_level = IOTHUB_LOG_DEBUG;
    o->user = arrived;
    iothub_client *c = iothub_new(connection_string, o, &error);
    explicit_bzero(connection_string, sizeof connection_string);
    if (c == NULL) {
        fprintf(stderr, "secrets: %s\n", error.text);
    }
    return c;
}

static bool use_client(const char *port)
{
    const iothub_telemetry hello = { .body = "hello", .body_len = 5 };
    iothub_options o;
    char proxy[LINE];
    bool arrived = false;

    iothub_options_init(&o);
    sample_network(&o);
    o.ca_file = getenv("IOTHUB_CA_FILE");
    o.port = (uint16_t)strtoul(port, NULL, 10);
    iothub_client *c = make_client(&o, proxy, &arrived);
    if (c == NULL || iothub_send_telemetry(c, &hello, NULL) != IOTHUB_OK) {
        return false;
    }
    (void)iothub_start(c);
    while (!arrived) {
        (void)iothub_wait(c, 1000);
    }
    stop_at("connected");
    iothub_free(c);
    explicit_bzero(proxy, sizeof proxy);
    stop_at("freed");
    return true;
}

static iothub_upload *start_upload(const char *port, const char *content)
{
    char connection_string[LINE], proxy[LINE];
    iothub_upload_options o;
    iothub_error error;

    if (!read_line(connection_string) || !read_line(proxy)) {
        return NULL;
    }
    iothub_upload_options_init(&o);
    o.platform = plat_posix();
    o.connection_string = connection_string;
    o.proxy = proxy;
    o.ca_file = getenv("IOTHUB_CA_FILE");
    o.port = (uint16_t)strtoul(port, NULL, 10);
    o.blob_name = "blob";
    o.block_size = BLOCK;
    o.data = content;
    o.data_len = BLOCKS * BLOCK;
    iothub_upload *u = iothub_upload_start(&o, &error);
    explicit_bzero(connection_string, sizeof connection_string);
    explicit_bzero(proxy, sizeof proxy);
    if (u == NULL) {
        fprintf(stderr, "secrets: %s\n", error.text);
    }
    return u;
}

static bool use_upload(const char *port)
{
    static const char content[BLOCKS * BLOCK];
    iothub_upload *u = start_upload(port, content);
    iothub_upload_info info = { .sent = 0 };
    bool stopped = false;

    while (u != NULL && iothub_upload_wait(u, 1000) < IOTHUB_UPLOAD_SUCCEEDED) {
        iothub_upload_get_info(u, &info);
        if (info.sent > 0 && !stopped) {
            stopped = true;
            stop_at("uploading");
        }
    }
    if (u == NULL) {
        return false;
    }
    iothub_upload_get_info(u, &info);
    fprintf(stderr, "%s\n", info.text);
    iothub_upload_free(u);
    stop_at("uploaded");
    return stopped && info.state == IOTHUB_UPLOAD_SUCCEEDED;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: secrets PORT REST_PORT\n");
        return 2;
    }
    return use_client(argv[1]) && use_upload(argv[2]) ? 0 : 1;
}
