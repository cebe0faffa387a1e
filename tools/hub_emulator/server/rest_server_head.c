#include "server/rest_server_head.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define SEPARATORS 4 /* the characters between and after a name and a value */

/* The headers that decide what a request means and where it ends. */
typedef struct head {
    const char *hosts;
    const char *authorization;
    const char *length;
    const char *encoding;
    bool repeated; /* one of these headers occurs twice */
    size_t bytes;  /* of all headers and of the target */
} head;

static const char **place(head *h, const char *name)
{
    const struct {
        const char *name;
        const char **at;
    } places[] = {
        { MHD_HTTP_HEADER_HOST, &h->hosts },
        { MHD_HTTP_HEADER_AUTHORIZATION, &h->authorization },
        { MHD_HTTP_HEADER_CONTENT_LENGTH, &h->length },
        { MHD_HTTP_HEADER_TRANSFER_ENCODING, &h->encoding },
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcasecmp(name, places[i].name) == 0) {
            return places[i].at;
        }
    }
    return NULL;
}

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    head *h = user;
    const char **at = kind == MHD_HEADER_KIND ? place(h, name) : NULL;

    h->bytes += strlen(name) + (value != NULL ? strlen(value) : 0) + SEPARATORS;
    if (at != NULL) {
        h->repeated = h->repeated || *at != NULL;
        *at = value != NULL ? value : "";
    }
    return MHD_YES;
}

/* Returns whether the length is too large. libmicrohttpd has already refused text that is not a
 * number. */
static bool too_long(const char *length)
{
    return length != NULL && strtoull(length, NULL, 10) > REST_BODY_MAX;
}

rest_head_fault rest_head_check(struct MHD_Connection *connection, const char *path,
                                const char *version)
{
    head h = { .bytes = strlen(path) };

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &h);
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_header, &h);
    if (h.bytes > REST_HEAD_MAX) {
        return (rest_head_fault){ 431, "the head is larger than 64 KB" };
    }
    if (h.repeated) {
        return (rest_head_fault){ 400, "a header is given twice" };
    }
    if (h.hosts == NULL && strcmp(version, MHD_HTTP_VERSION_1_1) == 0) {
        return (rest_head_fault){ 400, "the Host header is missing" };
    }
    if (h.encoding != NULL && h.length != NULL) {
        return (rest_head_fault){ 400,
                                  "Content-Length and Transfer-Encoding contradict each other" };
    }
    if (h.encoding != NULL && strcasecmp(h.encoding, "chunked") != 0) {
        return (rest_head_fault){ 501, "the only transfer encoding is chunked" };
    }
    if (too_long(h.length)) {
        return (rest_head_fault){ 413, "the body is larger than 1 MB" };
    }
    return (rest_head_fault){ 0 };
}

const char *rest_head_local(const char *target)
{
    static const char *const schemes[] = { "https://", "http://" };

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(target, schemes[i], len) == 0) {
            target += len;
            return target + strcspn(target, "/?#");
        }
    }
    return target;
}

char *rest_head_path(const char *target)
{
    const char *local = rest_head_local(target);

    return hub_memdup(local, strcspn(local, "?#"));
}
