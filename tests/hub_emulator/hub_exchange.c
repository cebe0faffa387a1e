#include "hub_exchange.h"

#include <stdlib.h>
#include <string.h>

static const char *query_value(const rest_request *r, const char *name)
{
    const hub_exchange *x = r->transport;
    size_t len = strlen(name);

    if (x->query != NULL && strncmp(x->query, name, len) == 0 && x->query[len] == '=') {
        return x->query + len + 1;
    }
    if (strcmp(name, "api-version") != 0) {
        return NULL;
    }
    return x->version != NULL ? x->version : "2021-04-12";
}

static void each_header(const rest_request *r, rest_header_visitor visit, void *user)
{
    const hub_exchange *x = r->transport;
    const char *const *at = x->headers;

    while (at != NULL && *at != NULL && visit(user, at[0], at[1])) {
        at += 2;
    }
}

static void finished(rest_handling *h)
{
    ((hub_exchange *)h->user)->finished++;
}

void hub_exchange_end(hub_exchange *x)
{
    rest_reply_free(&x->handling.reply);
    free(x->handling.watch.device);
    x->handling = (rest_handling){ 0 };
}

static char *make_token(const hub_exchange *x)
{
    if (x->token != NULL) {
        return hub_strdup(x->token);
    }
    const char *name = x->policy != NULL ? x->policy : "iothubowner";
    const hub_policy *policy = hub_policies_find(&x->fixture->hub.registry.policies, name);

    return fixture_token(x->resource != NULL ? x->resource : "localhost", policy->primary_key,
                         hub_now(&x->fixture->hub) / 1000 + 60, name);
}

int hub_ask(hub_exchange *x, const char *method, const char *path, const char *body)
{
    char *token = make_token(x);
    rest_request r = {
        .method = method,
        .path = path,
        .raw_path = x->raw_path,
        .authorization = token,
        .host = x->host != NULL ? x->host : "localhost:8443",
        .if_match = x->if_match,
        .max_item_count = x->max_item_count,
        .continuation = x->continuation,
        .edge_module = x->edge_module,
        .body = body,
        .body_len = body != NULL && x->body_len == 0 ? strlen(body) : x->body_len,
        .query = query_value,
        .headers = each_header,
        .transport = x,
    };

    hub_exchange_end(x);
    x->handling.finished = finished;
    x->handling.user = x;
    x->outcome = rest_handle(&x->fixture->hub, &r, &x->handling);
    hub_send_queued(&x->fixture->hub);
    rest_request_free(&r);
    free(token);
    return x->handling.reply.status;
}

const char *hub_reply(const hub_exchange *x)
{
    return x->handling.reply.text != NULL ? x->handling.reply.text : "";
}

const char *hub_reply_header(const hub_exchange *x, const char *name)
{
    const hub_bag_item *item = hub_bag_find(&x->handling.reply.headers, name);

    return item != NULL ? item->value : NULL;
}
