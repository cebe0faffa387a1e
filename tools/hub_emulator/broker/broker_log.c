#include "broker/broker_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define SENT "Sending PUBLISH to "
#define ACK  "Received PUBACK from "
#define DENY "Denied PUBLISH from "

static const char *const chatter[] = { "Sending ", "Received ", "No will message specified.",
                                       "Denied ",  "\t",        "Will message specified (" };

static bool is_chatter(const char *line)
{
    for (size_t i = 0; i < sizeof chatter / sizeof chatter[0]; i++) {
        if (strncmp(line, chatter[i], strlen(chatter[i])) == 0) {
            return true;
        }
    }
    /* A line about a SUBSCRIBE looks like "device1 1 $iothub/twin/res/#". */
    return strstr(line, " $iothub/") != NULL || strstr(line, " devices/") != NULL;
}

/* The client id ends at the first space, since ids of the hub contain none. */
static bool take_client(const char *at, hub_broker_log_entry *e, const char **rest)
{
    size_t len = strcspn(at, " ");

    if (len == 0 || len >= sizeof e->client_id || at[len] == '\0') {
        return false;
    }
    memcpy(e->client_id, at, len);
    e->client_id[len] = '\0';
    *rest = at + len + 1;
    return true;
}

static bool read_sent(const char *at, hub_broker_log_entry *e)
{
    unsigned dup;
    unsigned qos;
    unsigned retain;
    unsigned id;
    const char *rest;

    if (!take_client(at, e, &rest) ||
        /* NOLINTNEXTLINE(cert-err34-c): the widths limit the digits */
        sscanf(rest, "(d%1u, q%1u, r%1u, m%5u,", &dup, &qos, &retain, &id) != 4) {
        return false;
    }
    e->packet_id = (uint16_t)id;
    return dup == 0 && qos == 1;
}

static bool read_ack(const char *at, hub_broker_log_entry *e)
{
    unsigned id;
    const char *rest;

    /* NOLINTNEXTLINE(cert-err34-c): the widths limit the digits */
    if (!take_client(at, e, &rest) || sscanf(rest, "(Mid: %5u,", &id) != 1) {
        return false;
    }
    e->packet_id = (uint16_t)id;
    return true;
}

static bool read_forbidden(const char *at, hub_broker_log_entry *e)
{
    const char *rest;
    const char *topic;

    if (!take_client(at, e, &rest)) {
        return false;
    }
    topic = strchr(rest, '\'');
    return topic != NULL && strncmp(topic + 1, "$SYS", 4) == 0;
}

hub_broker_log_entry hub_broker_log_read(const char *line)
{
    hub_broker_log_entry e = { .kind = HUB_LOG_CHATTER };

    if (strncmp(line, SENT, strlen(SENT)) == 0) {
        e.kind = read_sent(line + strlen(SENT), &e) ? HUB_LOG_SENT : HUB_LOG_CHATTER;
    } else if (strncmp(line, ACK, strlen(ACK)) == 0) {
        e.kind = read_ack(line + strlen(ACK), &e) ? HUB_LOG_ACKNOWLEDGED : HUB_LOG_CHATTER;
    } else if (strncmp(line, DENY, strlen(DENY)) == 0) {
        e.kind = read_forbidden(line + strlen(DENY), &e) ? HUB_LOG_FORBIDDEN : HUB_LOG_CHATTER;
    } else {
        e.kind = is_chatter(line) ? HUB_LOG_CHATTER : HUB_LOG_NOTICE;
    }
    return e;
}

static void take_lines(char *text, hub_broker_log_take take, void *user)
{
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        take(user, line);
        line = end != NULL ? end + 1 : line + strlen(line);
    }
}

void hub_broker_log_drain(int fd, hub_broker_log_take take, void *user)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || info.st_size == 0) {
        return;
    }
    char *text = hub_calloc(1, (size_t)info.st_size + 1);
    ssize_t n = pread(fd, text, (size_t)info.st_size, 0);
    if (n > 0 && ftruncate(fd, 0) == 0) {
        take_lines(text, take, user);
    }
    free(text);
}
