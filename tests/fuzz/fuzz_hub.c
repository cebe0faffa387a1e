/*
 * Tests the emulator without broker and HTTP server. Each line of the input is one action:
 *
 *     GET /devices/device1?limit=5                 a request of the service, with an optional query
 *     PUT /devices/x {"deviceId":"x"}              a request with a body
 *     : iothub-app-x value                         a header of the next request
 *     ! POST /abandon                              a request for the message that was received last
 *     + $iothub/twin/GET/?$rid=1 {}                device1 publishes
 *     * $iothub/methods/POST/#                     device1 subscribes
 *     -                                            device1 disconnects and connects again
 *     .                                            time passes
 *
 * A refusal changes no twin and no queue; after a restart the whole state is there again.
 */

#include "fuzz.h"
#include "hub_fixture.h"
#include "rest/rest.h"

enum { LINES_MAX = 40, HEADERS_MAX = 8 };

static const int device_key;

typedef struct world {
    hub_fixture *f;
    char *token;
    const char *query;          /* a parameter "name=value", or NULL */
    char *headers[HEADERS_MAX]; /* "name value", for the next request */
    size_t header_count;
    char *lock; /* the last lock token of device1, or NULL */
    rest_handling pending;
    bool waiting; /* the request is still to be finished */
} world;

/* --- what the hub holds, as text -------------------------------------------------------- */

static char *snapshot(const hub *h)
{
    hub_text out = { 0 };

    for (size_t i = 0; i < h->registry.identities.count; i++) {
        const hub_identity *id = h->registry.identities.items[i];
        cJSON *state = hub_twin_to_state(&id->twin);
        char *twin = hub_json_print(state);
        hub_text_printf(&out, "%s %s %s %d %lld %zu ", id->client_id, id->primary_key,
                        id->secondary_key, id->enabled, (long long)id->etag, id->c2d.count);
        hub_text_str(&out, twin);
        for (size_t n = 0; n < id->c2d.count; n++) {
            hub_text_printf(&out, " %llu %zu", (unsigned long long)id->c2d.items[n]->sequence,
                            id->c2d.items[n]->body_len);
        }
        hub_text_str(&out, "\n");
        cJSON_Delete(state);
        free(twin);
    }
    return out.p != NULL ? out.p : hub_strdup("");
}

/* --- the service side --------------------------------------------------------------------- */

static const char *query_value(const rest_request *r, const char *name)
{
    const world *w = r->transport;
    const size_t len = strlen(name);

    if (w->query != NULL && strncmp(w->query, name, len) == 0 && w->query[len] == '=') {
        return w->query + len + 1;
    }
    return strcmp(name, "api-version") == 0 ? "2021-04-12" : NULL;
}

static void each_header(const rest_request *r, rest_header_visitor visit, void *user)
{
    const world *w = r->transport;
    bool more = true;

    for (size_t i = 0; more && i < w->header_count; i++) {
        const size_t len = strcspn(w->headers[i], " ");
        char *name = hub_memdup(w->headers[i], len);
        more = visit(user, name, w->headers[i][len] == ' ' ? w->headers[i] + len + 1 : "");
        free(name);
    }
}

static void forget_headers(world *w)
{
    while (w->header_count > 0) {
        free(w->headers[--w->header_count]);
    }
}

/* Whatever the properties of a message are, each is one header that HTTP allows. */
static void check_headers(const hub_bag *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->items[i].name;
        FUZZ_CHECK(name[0] != '\0' && name[strcspn(name, "\r\n\t :\x7F")] == '\0');
        for (const char *p = headers->items[i].value; *p != '\0'; p++) {
            FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7F);
        }
    }
}

static void check_reply(const rest_reply *r)
{
    FUZZ_CHECK(r->status >= 200 && r->status < 600);
    FUZZ_CHECK((r->status >= 400) == (r->code != NULL));
    check_headers(&r->headers);
    if (r->text != NULL && r->type == NULL) {
        cJSON *json = hub_json_read(r->text, strlen(r->text));
        FUZZ_CHECK(json != NULL);
        cJSON_Delete(json);
    }
}

static void finished(rest_handling *h)
{
    world *w = h->user;

    FUZZ_CHECK(w->waiting && h == &w->pending);
    w->waiting = false;
    check_reply(&h->reply);
    rest_reply_free(&h->reply);
}

static void forget_pending(world *w)
{
    if (w->waiting) {
        rest_abandon(&w->f->hub, &w->pending);
        w->waiting = false;
    }
    w->pending = (rest_handling){ .finished = finished, .user = w };
}

/* Returns whether the request may have changed something: one that was answered with an error
 * has not, but a bulk request has an error for each entry. */
static bool may_have_changed(const rest_reply *r)
{
    return r->code == NULL || strcmp(r->code, "BulkRegistryOperationFailure") == 0;
}

static void handle(world *w, rest_request *r)
{
    char *was = snapshot(&w->f->hub);

    forget_pending(w);
    w->waiting = true; /* set first, since the request may end within the call */
    switch (rest_handle(&w->f->hub, r, &w->pending)) {
    case REST_REPLY: {
        char *is = snapshot(&w->f->hub);
        w->waiting = false;
        check_reply(&w->pending.reply);
        if (w->pending.reply.etag != NULL && w->pending.reply.type != NULL) {
            hub_replace(&w->lock, w->pending.reply.etag);
        }
        FUZZ_CHECK(may_have_changed(&w->pending.reply) || strcmp(was, is) == 0);
        rest_reply_free(&w->pending.reply);
        free(is);
        break;
    }
    case REST_WATCH:
        w->waiting = false;
        free(w->pending.watch.device);
        break;
    case REST_LATER: break;
    }
    free(was);
}

/* Returns the text up to the next space; *rest is moved after it. */
static char *word(char **rest)
{
    char *start = *rest;
    char *end = strchr(start, ' ');

    *rest = end != NULL ? end + 1 : start + strlen(start);
    if (end != NULL) {
        *end = '\0';
    }
    return start;
}

static void service(world *w, char *text)
{
    char *rest = text;
    const char *method = word(&rest);
    char *path = word(&rest);
    char *query = strchr(path, '?');

    if (query != NULL) {
        *query++ = '\0';
    }
    w->query = query;
    rest_request r = {
        .method = method,
        .path = path,
        .authorization = w->token,
        .host = "localhost:8443",
        .body = rest,
        .body_len = strlen(rest),
        .query = query_value,
        .headers = each_header,
        .transport = w,
    };
    handle(w, &r);
    rest_request_free(&r);
    forget_headers(w);
}

static void add_header(world *w, const char *text)
{
    if (w->header_count < HEADERS_MAX) {
        w->headers[w->header_count++] = hub_strdup(text);
    }
}

/* Does something with the message of device1 that was received last. */
static void settle(world *w, char *text)
{
    char *rest = text;
    const char *method = word(&rest);
    char *request = hub_format("%s /devices/device1/messages/deviceBound/%s%s", method,
                               w->lock != NULL ? w->lock : "none", rest);

    service(w, request);
    free(request);
}

/* --- the device ------------------------------------------------------------------------------ */

static void come(world *w)
{
    if (hub_registry_find_client(&w->f->hub.registry, "device1") != NULL) {
        (void)fixture_connect(w->f, &device_key, "device1", false);
    }
}

static void publish(world *w, char *text)
{
    char *rest = text;
    const char *topic = word(&rest);

    if (hub_knows(&w->f->hub, &device_key)) {
        (void)fixture_publish(w->f, &device_key, topic, rest);
    }
}

static void device(world *w, char *text)
{
    hub *h = &w->f->hub;
    hub_fault fault;

    switch (text[0]) {
    case '+': publish(w, text + 2); break;
    case '*':
        if (hub_knows(h, &device_key)) {
            (void)hub_subscribe(h, &device_key, text + 2, 1, &fault);
        }
        break;
    default:
        hub_disconnected(h, &device_key);
        come(w);
        break;
    }
}

static void act(world *w, char *text)
{
    const size_t len = strlen(text);

    switch (text[0]) {
    case '+':
    case '*':
        if (len > 2) {
            device(w, text);
        }
        break;
    case '-': device(w, text); break;
    case ':':
        if (len > 2) {
            add_header(w, text + 2);
        }
        return;
    case '!':
        if (len > 2) {
            settle(w, text + 2);
        }
        break;
    case '.': w->f->now_ms += 7000; break;
    default: service(w, text); break;
    }
    hub_tick(&w->f->hub);
    fixture_forget_sent(w->f);
    w->f->dropped[0] = '\0';
}

/* Restarts the hub as after the end of its process: accepted changes are on disk. */
static void restart(world *w)
{
    char *was = snapshot(&w->f->hub);

    fixture_restart(w->f);
    char *is = snapshot(&w->f->hub);
    FUZZ_CHECK(strcmp(was, is) == 0);
    free(was);
    free(is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    fuzz_input line;
    void *state;
    world w = { 0 };

    FUZZ_CHECK(fixture_setup(&state) == 0);
    w.f = state;
    w.token = fixture_token(
        "localhost", hub_policies_find(&w.f->hub.registry.policies, "iothubowner")->primary_key,
        FIXTURE_NOW_S + 3600, "iothubowner");
    come(&w);
    for (int i = 0; i < LINES_MAX && fuzz_line(&in, &line); i++) {
        char *text = fuzz_text(line);
        act(&w, text);
        free(text);
    }
    forget_pending(&w);
    forget_headers(&w);
    free(w.lock);
    restart(&w);
    free(w.token);
    FUZZ_CHECK(fixture_teardown(&state) == 0);
    return 0;
}
