#include "server/rest_server_reply.h"

#include <stdlib.h>

#include "base/text.h"

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL) {
        (void)MHD_add_response_header(response, name, value);
    }
}

static void add_etag(struct MHD_Response *response, const char *etag)
{
    if (etag != NULL) {
        char *quoted = hub_format("\"%s\"", etag);
        add_header(response, MHD_HTTP_HEADER_ETAG, quoted);
        free(quoted);
    }
}

/* libmicrohttpd refuses a header without a value; white space around a value means nothing. */
static void add_headers(struct MHD_Response *response, const hub_bag *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const char *value = headers->items[i].value;
        add_header(response, headers->items[i].name, value[0] != '\0' ? value : " ");
    }
}

enum MHD_Result rest_server_reply(struct MHD_Connection *connection, const rest_reply *reply)
{
    const char *text = reply->text != NULL ? reply->text : "";
    union {
        const char *in;
        void *out;
    } cast = { .in = text }; /* the text is copied, although the parameter is not const */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->len, cast.out, MHD_RESPMEM_MUST_COPY);

    if (response == NULL) {
        return MHD_NO;
    }
    if (reply->text != NULL) {
        add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                   reply->type != NULL ? reply->type : "application/json; charset=utf-8");
    }
    add_etag(response, reply->etag);
    add_header(response, "iothub-errorcode", reply->code);
    add_header(response, "x-ms-item-type", reply->item_type);
    add_header(response, "x-ms-continuation", reply->continuation);
    add_header(response, "x-ms-command-statuscode", reply->command_status);
    add_headers(response, &reply->headers);
    enum MHD_Result r = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return r;
}
