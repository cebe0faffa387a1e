#include "iothub/upload.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "context/result_map.h"
#include "context/retry.h"
#include "iothub/connection_string.h"
#include "iothub/sas.h"
#include "text/sized_struct.h"
#include "text/wipe.h"
#include "upload/upload_saved.h"
#include "upload/upload_source.h"

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_BAD_REQUEST = 400,
    HTTP_FORBIDDEN = 403,
    HTTP_TIMEOUT = 408,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
    HTTPS_PORT = 443,
    HEADER_SIZE = IOTHUB_SAS_TOKEN_SIZE + 32,
    CONTENT_TYPE_MAX = 128,
    BODY_SIZE = 8192, /* of a request to the hub */
    ANSWER_MAX = 16384,
    TOKEN_LIFE_S = 3600,
    STORAGE_REQUEST_MS = 3600 * 1000, /* a request that makes progress may take so long */
    READ_AGAIN_MS = 20,               /* when to ask a reader that had no bytes */
    SAVE_EACH = 16 * 1024 * 1024      /* bytes after which the state is stored again */
};

typedef enum slot_state { SLOT_FREE = 0, SLOT_FILLING, SLOT_READY, SLOT_BUSY } slot_state;

/* A block in memory. */
typedef struct slot {
    slot_state state;
    plat_http *http;
    uint8_t *bytes;
    size_t len;
    uint32_t number;
    uint32_t failures; /* in a row, of the request for this block */
    uint64_t due;      /* when the next attempt begins */
} slot;

/* The request that is made alone: to the hub, or the commit of the blocks. */
typedef struct control {
    plat_http *http;
    bool busy;
    uint32_t failures;
    uint64_t due;
    char *list; /* the block list while it is being sent */
} control;

struct iothub_upload {
    iothub_upload_options o;
    char *texts; /* what the texts of the options point to */
    iothub_connection_string device;
    iothub_upload_info info;
    iothub_error latest; /* what info.text points to */
    upload_saved saved;
    upload_source source;
    slot slots[IOTHUB_UPLOAD_PARALLEL_MAX];
    control control;
    iothub_result final; /* the result after a notification of failure */
    bool goes_on;        /* after that notification, a new place is requested */
    bool rebuilt;        /* the blocks were sent again, because the storage had lost some */
    bool cancelled;
    uint64_t last_success; /* when something has succeeded, or the start */
    uint64_t unsaved;      /* bytes that arrived since the state was stored */
};

static uint64_t now_ms(const iothub_upload *u)
{
    return u->o.platform->clock->monotonic_ms(u->o.platform->clock);
}

/* --- what is known about the upload ------------------------------------------------------------
 */

static void report(iothub_upload *u)
{
    u->info.result = u->latest.code;
    u->info.text = u->latest.text;
    u->info.size = u->source.about.size;
    if (u->o.progress != NULL) {
        u->o.progress(u, &u->info, u->o.user);
    }
}

static void enter(iothub_upload *u, iothub_upload_state state)
{
    u->info.state = state;
    u->control.failures = 0;
    u->control.due = 0;
    report(u);
}

/* A store that fails does not end the upload. */
static void save(iothub_upload *u)
{
    u->unsaved = 0;
    if (u->o.state != NULL) {
        (void)upload_saved_put(u->o.state, u->o.state_key, &u->saved, u->o.keep_token);
    }
}

static void forget(iothub_upload *u)
{
    iothub_wipe(&u->saved.place, sizeof u->saved.place);
    if (u->o.state != NULL) {
        (void)u->o.state->ops->remove(u->o.state, u->o.state_key);
    }
}

static void count_sent(iothub_upload *u)
{
    u->info.sent = 0;
    for (uint32_t i = 0; i < IOTHUB_UPLOAD_BLOCKS_MAX && u->saved.blocks.arrived > 0; i++) {
        if (upload_blocks_have(&u->saved.blocks, i)) {
            u->info.sent += upload_source_size_of(&u->source, i);
        }
    }
}

static void succeed(iothub_upload *u)
{
    u->last_success = now_ms(u);
    u->latest = (iothub_error){ IOTHUB_OK, "" };
}

/* --- endings ------------------------------------------------------------------------------------
 */

static void stop_slots(iothub_upload *u)
{
    for (uint32_t i = 0; i < u->o.parallel; i++) {
        slot *s = &u->slots[i];
        if (s->state == SLOT_BUSY) {
            s->http->ops->cancel(s->http);
            s->state = SLOT_READY;
        }
        s->failures = 0;
        s->due = 0;
    }
}

static void notify(iothub_upload *u, upload_outcome outcome, int status)
{
    stop_slots(u);
    u->saved.outcome = outcome;
    u->saved.status = status;
    save(u);
    enter(u, IOTHUB_UPLOAD_NOTIFYING);
}

static void end(iothub_upload *u)
{
    forget(u);
    enter(u, u->final == IOTHUB_OK ? IOTHUB_UPLOAD_SUCCEEDED : IOTHUB_UPLOAD_FAILED);
}

/* The upload fails for the reason in latest. */
static void fail(iothub_upload *u, int status)
{
    u->final = u->latest.code;
    u->goes_on = false;
    if (u->saved.place.correlation_id[0] != '\0') {
        notify(u, UPLOAD_FAILED, status);
    } else {
        end(u);
    }
}

/* The upload continues under a new storage token. */
static void start_over(iothub_upload *u, int status)
{
    u->goes_on = true;
    notify(u, UPLOAD_FAILED, status);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static bool is_passing(int status)
{
    return status == HTTP_TIMEOUT || status == HTTP_TOO_MANY || status >= HTTP_SERVER_ERROR;
}

static uint64_t next_attempt(iothub_upload *u, uint32_t *failures)
{
    const plat_crypto *crypto = u->o.platform->crypto;
    uint32_t random = 0;

    *failures += *failures < UINT32_MAX ? 1 : 0;
    u->info.repeats++;
    if (crypto->random(crypto, &random, sizeof random) != PLAT_OK) {
        random = UINT32_MAX; /* the longest wait */
    }
    const uint32_t limit = retry_limit_ms(u->o.retry_min_ms, u->o.retry_max_ms, *failures);
    return now_ms(u) + retry_delay_ms(limit, random, 0);
}

static void tell_status(iothub_upload *u, const char *who, int status)
{
    char number[16];
    iothub_text t;

    iothub_text_init(&t, number, sizeof number);
    iothub_text_put_u64(&t, (uint64_t)status);
    (void)iothub_text_finish(&t);
    (void)iothub_fail(&u->latest, is_passing(status) ? IOTHUB_ERR_UNAVAILABLE : IOTHUB_ERR_REJECTED,
                      "upload: %s answered with HTTP status %s", who, number);
}

static void tell_broken(iothub_upload *u, plat_result r, const plat_http *http, const char *who)
{
    (void)iothub_fail(&u->latest, iothub_from_plat(r), "upload: %s: %s", who,
                      http->ops->detail(http));
}

/* --- requests to the hub
 * -------------------------------------------------------------------------- */

static iothub_result put_authorization(iothub_upload *u, char *out)
{
    static const char name[] = "Authorization: ";
    const plat_clock *clock = u->o.platform->clock;
    iothub_text t;

    iothub_text_init(&t, out, HEADER_SIZE);
    iothub_text_put(&t, name);
    if (u->device.signature.len > 0) {
        iothub_text_put_span(&t, u->device.signature);
        return iothub_text_finish(&t);
    }
    const int64_t wall_s = clock->wall_s(clock);
    if (wall_s <= 0) {
        return iothub_fail(&u->latest, IOTHUB_ERR_NO_TIME,
                           "upload: the clock is not set, so no token can be made");
    }
    return iothub_sas_build_for(u->o.platform->crypto, &u->device, (uint64_t)wall_s + TOKEN_LIFE_S,
                                out + t.len, HEADER_SIZE - t.len, NULL, &u->latest);
}

static iothub_result put_body(iothub_upload *u, char *body, size_t *len)
{
    if (u->info.state == IOTHUB_UPLOAD_REQUESTING) {
        return upload_put_request(body, BODY_SIZE, len, u->o.blob_name);
    }
    const bool success = u->saved.outcome == UPLOAD_SUCCEEDED;
    return upload_put_notification(body, BODY_SIZE, len, &u->saved.place, success, u->saved.status,
                                   success ? "uploaded" : "not uploaded");
}

static plat_result ask_hub(iothub_upload *u, const char *authorization)
{
    char url[UPLOAD_URL_SIZE];
    char body[BODY_SIZE];
    const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
                                    "Expect:", authorization };
    size_t len;
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    upload_put_hub_url(&t, u->device.host_name, u->o.port, u->device.device_id,
                       u->info.state == IOTHUB_UPLOAD_REQUESTING ? "files" : "files/notifications");
    if (iothub_text_finish(&t) != IOTHUB_OK || put_body(u, body, &len) != IOTHUB_OK) {
        return PLAT_ERR_ARG;
    }
    const plat_http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .body = body,
        .body_len = len,
        .copy_body = true,
        .answer_max = ANSWER_MAX,
        .timeout_ms = u->o.request_timeout_ms,
        .ca_file = u->o.ca_file,
        .proxy = u->o.proxy,
    };
    return u->control.http->ops->start(u->control.http, &request);
}

static plat_result start_hub(iothub_upload *u)
{
    char authorization[HEADER_SIZE];
    plat_result r = PLAT_ERR_STATE;

    if (put_authorization(u, authorization) == IOTHUB_OK) {
        r = ask_hub(u, authorization);
        if (r != PLAT_OK) {
            tell_broken(u, r, u->control.http, "the hub");
        }
    }
    iothub_wipe(authorization, sizeof authorization);
    return r;
}

/* --- requests to the storage
 * ------------------------------------------------------------------------ */

static bool is_single(const iothub_upload *u)
{
    return upload_source_blocks(&u->source) == 1;
}

static plat_result start_storage(iothub_upload *u, plat_http *http, const char *url,
                                 const char *const *headers, size_t header_count, const void *body,
                                 size_t len)
{
    const plat_http_request request = {
        .method = "PUT",
        .url = url,
        .headers = headers,
        .header_count = header_count,
        .body = len > 0 ? body : "",
        .body_len = len,
        .answer_max = ANSWER_MAX,
        .timeout_ms = STORAGE_REQUEST_MS,
        .stall_ms = u->o.request_timeout_ms,
        .ca_file = u->o.ca_file,
        .proxy = u->o.proxy,
    };
    plat_result r = http->ops->start(http, &request);
    if (r != PLAT_OK) {
        tell_broken(u, r, http, "the storage");
    }
    return r;
}

static const char *content_type_of(const iothub_upload *u, char *line, size_t cap)
{
    iothub_text t;

    iothub_text_init(&t, line, cap);
    iothub_text_put(&t, "x-ms-blob-content-type: ");
    iothub_text_put(&t, u->o.content_type);
    (void)iothub_text_finish(&t);
    return line;
}

static plat_result start_block(iothub_upload *u, slot *s)
{
    char url[UPLOAD_URL_SIZE];
    char type[CONTENT_TYPE_MAX + 32];
    const char *headers[] = { "Content-Type: application/octet-stream",
                              "Expect:", "x-ms-blob-type: BlockBlob",
                              content_type_of(u, type, sizeof type) };
    iothub_text t;

    iothub_text_init(&t, url, sizeof url);
    upload_put_blob_url(&t, &u->saved.place);
    if (!is_single(u)) {
        upload_put_block(&t, s->number);
    }
    if (iothub_text_finish(&t) != IOTHUB_OK) {
        return PLAT_ERR_ARG;
    }
    const size_t count = is_single(u) ? 4 : 2;
    plat_result r = start_storage(u, s->http, url, headers, count, s->bytes, s->len);
    iothub_wipe(url, sizeof url);
    return r;
}

static plat_result start_commit(iothub_upload *u)
{
    char url[UPLOAD_URL_SIZE];
    char type[CONTENT_TYPE_MAX + 32];
    const uint32_t blocks = upload_source_blocks(&u->source);
    const size_t size = upload_list_size(blocks);
    const char *headers[] = { "Content-Type: application/xml",
                              "Expect:", content_type_of(u, type, sizeof type) };
    iothub_text t;
    iothub_text list;

    free(u->control.list);
    u->control.list = malloc(size);
    if (u->control.list == NULL) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_MEMORY, "upload: no memory for the block list");
        return PLAT_ERR_MEMORY;
    }
    iothub_text_init(&list, u->control.list, size);
    upload_put_list(&list, blocks);
    iothub_text_init(&t, url, sizeof url);
    upload_put_blob_url(&t, &u->saved.place);
    upload_put_block_list(&t);
    if (iothub_text_finish(&t) != IOTHUB_OK || iothub_text_finish(&list) != IOTHUB_OK) {
        return PLAT_ERR_ARG;
    }
    plat_result r = start_storage(u, u->control.http, url, headers, 3, list.buf, list.len);
    iothub_wipe(url, sizeof url);
    return r;
}

/* --- REQUESTING, COMMITTING, NOTIFYING: one request at a time
 * -------------------------------------- */

/* Sets the place. Blocks that have arrived count only if they are those of the same blob. */
static void take_place(iothub_upload *u, upload_place *place)
{
    const upload_place *old = &u->saved.place;
    const bool same = strcmp(old->host, place->host) == 0 &&
                      strcmp(old->container, place->container) == 0 &&
                      strcmp(old->blob, place->blob) == 0;

    u->saved.place = *place;
    u->saved.outcome = UPLOAD_OPEN;
    u->info.tokens++;
    if (!same && u->saved.blocks.arrived > 0) {
        upload_blocks_clear(&u->saved.blocks);
        (void)upload_source_rewind(&u->source);
    }
}

static void on_place(iothub_upload *u, const plat_http_answer *a)
{
    upload_place place;

    if (!upload_place_parse(mqc_span_of(a->body, a->body_len), &place)) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_JSON, "upload: the hub's answer is not valid");
        fail(u, a->status);
        return;
    }
    succeed(u);
    take_place(u, &place);
    iothub_wipe(&place, sizeof place);
    save(u);
    enter(u, IOTHUB_UPLOAD_SENDING);
}

static void on_refused_place(iothub_upload *u, const plat_http_answer *a)
{
    tell_status(u, "the hub", a->status);
    if (a->status == HTTP_FORBIDDEN && strstr(a->body, "403006") != NULL) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_NO_SPACE,
                          "upload: the device has ten active uploads already (403006)");
    } else if (a->status == 401 || a->status == HTTP_FORBIDDEN) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_AUTH, "upload: the hub refuses the credential");
    }
    fail(u, a->status);
}

/* The storage has lost blocks, such as those that are older than a week. */
static bool send_all_again(iothub_upload *u)
{
    if (u->rebuilt || !upload_source_rewind(&u->source)) {
        return false;
    }
    u->rebuilt = true;
    upload_blocks_clear(&u->saved.blocks);
    count_sent(u);
    save(u);
    enter(u, IOTHUB_UPLOAD_SENDING);
    return true;
}

static void on_commit(iothub_upload *u, const plat_http_answer *a)
{
    if (a->status == HTTP_CREATED) {
        succeed(u);
        u->final = IOTHUB_OK;
        u->goes_on = false;
        notify(u, UPLOAD_SUCCEEDED, HTTP_OK);
        return;
    }
    tell_status(u, "the storage", a->status);
    if (a->status == HTTP_FORBIDDEN) {
        start_over(u, a->status);
    } else if (a->status != HTTP_BAD_REQUEST || !send_all_again(u)) {
        fail(u, a->status);
    }
}

/* Every answer that is not a passing failure ends this upload at the hub. */
static void on_notified(iothub_upload *u)
{
    if (u->goes_on && !u->cancelled) {
        u->goes_on = false;
        u->saved.place.correlation_id[0] = '\0';
        enter(u, IOTHUB_UPLOAD_REQUESTING);
        return;
    }
    if (u->goes_on) {
        u->final = IOTHUB_ERR_CANCELLED;
        (void)iothub_fail(&u->latest, u->final, "upload: cancelled");
    }
    end(u);
}

static void on_answer(iothub_upload *u, const plat_http_answer *a)
{
    if (u->info.state == IOTHUB_UPLOAD_COMMITTING) {
        on_commit(u, a);
    } else if (u->info.state == IOTHUB_UPLOAD_NOTIFYING) {
        on_notified(u);
    } else if (a->status == HTTP_OK) {
        on_place(u, a);
    } else {
        on_refused_place(u, a);
    }
}

static const char *peer_of(const iothub_upload *u)
{
    return u->info.state == IOTHUB_UPLOAD_COMMITTING ? "the storage" : "the hub";
}

static bool repeat_control(iothub_upload *u)
{
    u->control.due = next_attempt(u, &u->control.failures);
    report(u);
    return false;
}

/* Returns true if the state may have changed. */
static bool run_control(iothub_upload *u)
{
    control *c = &u->control;
    plat_http_answer a;

    if (!c->busy) {
        if (now_ms(u) < c->due) {
            return false;
        }
        plat_result r = u->info.state == IOTHUB_UPLOAD_COMMITTING ? start_commit(u) : start_hub(u);
        if (r != PLAT_OK) {
            return repeat_control(u);
        }
        c->busy = true;
    }
    plat_result r = c->http->ops->progress(c->http, &a);
    if (r == PLAT_WOULD_BLOCK) {
        return false;
    }
    c->busy = false;
    if (r != PLAT_OK) {
        tell_broken(u, r, c->http, peer_of(u));
        return repeat_control(u);
    }
    if (is_passing(a.status)) {
        tell_status(u, peer_of(u), a.status);
        return repeat_control(u);
    }
    on_answer(u, &a);
    return true;
}

/* --- SENDING: several blocks at a time
 * ------------------------------------------------------------- */

/* Fills a free slot with the next block that has not arrived. Returns false if the source failed.
 */
static bool fill(iothub_upload *u, slot *s)
{
    upload_source *source = &u->source;

    while (s->state == SLOT_FREE && source->partial == 0 &&
           source->next < upload_source_blocks(source) && source->next < IOTHUB_UPLOAD_BLOCKS_MAX &&
           upload_blocks_have(&u->saved.blocks, source->next)) {
        upload_source_skip(source);
    }
    switch (upload_source_fill(source, s->bytes, &s->number, &s->len)) {
    case UPLOAD_FILLED: s->state = SLOT_READY; return true;
    case UPLOAD_WAITS: s->state = SLOT_FILLING; return true;
    case UPLOAD_NO_MORE: s->state = SLOT_FREE; return true;
    case UPLOAD_BROKEN: break;
    }
    const char *detail = u->o.reader->ops->detail(u->o.reader);
    (void)iothub_fail(&u->latest, IOTHUB_ERR_STORE, "upload: source: %s",
                      detail[0] != '\0' ? detail : "it has become shorter");
    fail(u, 0);
    return false;
}

static bool is_too_long(iothub_upload *u, const slot *s)
{
    if (s->state != SLOT_READY || s->number < IOTHUB_UPLOAD_BLOCKS_MAX) {
        return false;
    }
    (void)iothub_fail(&u->latest, IOTHUB_ERR_TOO_BIG,
                      "upload: the source has more than 50000 blocks; use a larger block_size");
    fail(u, 0);
    return true;
}

static void on_block_arrived(iothub_upload *u, slot *s)
{
    s->state = SLOT_FREE;
    s->failures = 0;
    succeed(u);
    if (is_single(u)) {
        u->info.sent = s->len;
        u->final = IOTHUB_OK;
        u->goes_on = false;
        notify(u, UPLOAD_SUCCEEDED, HTTP_OK);
        return;
    }
    upload_blocks_add(&u->saved.blocks, s->number);
    u->info.sent += s->len;
    u->unsaved += s->len;
    if (u->unsaved >= SAVE_EACH) {
        save(u);
    }
    report(u);
}

static bool repeat_block(iothub_upload *u, slot *s)
{
    s->state = SLOT_READY;
    s->due = next_attempt(u, &s->failures);
    report(u);
    return false;
}

/* Returns true if the state of the upload may have changed. */
static bool on_block_answer(iothub_upload *u, slot *s, const plat_http_answer *a)
{
    if (a->status == HTTP_CREATED) {
        on_block_arrived(u, s);
        return true;
    }
    tell_status(u, "the storage", a->status);
    if (is_passing(a->status)) {
        return repeat_block(u, s);
    }
    s->state = SLOT_READY;
    if (a->status == HTTP_FORBIDDEN) {
        start_over(u, a->status);
    } else {
        fail(u, a->status);
    }
    return true;
}

static bool run_slot(iothub_upload *u, slot *s)
{
    plat_http_answer a;

    if (s->state == SLOT_READY && now_ms(u) >= s->due) {
        if (start_block(u, s) != PLAT_OK) {
            return repeat_block(u, s);
        }
        s->state = SLOT_BUSY;
    }
    if (s->state != SLOT_BUSY) {
        return false;
    }
    plat_result r = s->http->ops->progress(s->http, &a);
    if (r == PLAT_WOULD_BLOCK) {
        return false;
    }
    if (r != PLAT_OK) {
        tell_broken(u, r, s->http, "the storage");
        return repeat_block(u, s);
    }
    return on_block_answer(u, s, &a);
}

static bool fill_slots(iothub_upload *u)
{
    for (uint32_t i = 0; i < u->o.parallel; i++) {
        slot *s = &u->slots[i];
        if (s->state > SLOT_FILLING) {
            continue;
        }
        if (!fill(u, s) || is_too_long(u, s)) {
            return false;
        }
        if (s->state != SLOT_READY) {
            return true; /* the others wait for the same bytes */
        }
    }
    return true;
}

static bool all_arrived(const iothub_upload *u)
{
    for (uint32_t i = 0; i < u->o.parallel; i++) {
        if (u->slots[i].state != SLOT_FREE) {
            return false;
        }
    }
    return u->saved.blocks.arrived == upload_source_blocks(&u->source);
}

/* Returns true if the state may have changed. */
static bool run_slots(iothub_upload *u)
{
    if (!fill_slots(u)) {
        return true;
    }
    bool changed = false;
    for (uint32_t i = 0; i < u->o.parallel && u->info.state == IOTHUB_UPLOAD_SENDING; i++) {
        changed = run_slot(u, &u->slots[i]) || changed;
    }
    if (u->info.state == IOTHUB_UPLOAD_SENDING && all_arrived(u)) {
        save(u);
        enter(u, IOTHUB_UPLOAD_COMMITTING);
        return true;
    }
    return changed;
}

/* --- turns
 * ---------------------------------------------------------------------------------------- */

/* A request for a place that is on its way has to be answered first: its upload counts as active.
 */
static bool can_cancel(const iothub_upload *u)
{
    return u->info.state == IOTHUB_UPLOAD_SENDING ||
           (u->info.state < IOTHUB_UPLOAD_NOTIFYING && !u->control.busy);
}

static bool check_ends(iothub_upload *u)
{
    if (u->info.state >= IOTHUB_UPLOAD_NOTIFYING || !can_cancel(u)) {
        return false;
    }
    if (u->cancelled) {
        (void)iothub_fail(&u->latest, IOTHUB_ERR_CANCELLED, "upload: cancelled");
        fail(u, 0);
        return true;
    }
    if (u->o.give_up_ms != 0 && now_ms(u) - u->last_success >= u->o.give_up_ms) {
        if (u->latest.code == IOTHUB_OK) {
            (void)iothub_fail(&u->latest, IOTHUB_ERR_TIMEOUT,
                              "upload: nothing has succeeded within give_up_ms");
        }
        fail(u, 0);
        return true;
    }
    return false;
}

iothub_upload_state iothub_upload_process(iothub_upload *u)
{
    if (u == NULL) {
        return IOTHUB_UPLOAD_FAILED;
    }
    while (u->info.state < IOTHUB_UPLOAD_SUCCEEDED) {
        const bool changed =
            check_ends(u) ||
            (u->info.state == IOTHUB_UPLOAD_SENDING ? run_slots(u) : run_control(u));
        if (!changed) {
            break;
        }
    }
    return u->info.state;
}

void iothub_upload_cancel(iothub_upload *u)
{
    if (u != NULL) {
        u->cancelled = true;
    }
}

void iothub_upload_get_info(const iothub_upload *u, iothub_upload_info *out)
{
    *out = u != NULL ? u->info
                     : (iothub_upload_info){ .state = IOTHUB_UPLOAD_FAILED,
                                             .result = IOTHUB_ERR_ARG,
                                             .text = "there is no upload" };
}

/* --- what to wait for
 * ------------------------------------------------------------------------------ */

typedef struct waiting {
    iothub_upload_poll *out;
    int used;
    uint64_t now;
} waiting;

static void sooner(waiting *w, int ms)
{
    if (ms >= 0 && (w->out->timeout_ms < 0 || ms < w->out->timeout_ms)) {
        w->out->timeout_ms = ms;
    }
}

static void wait_until(waiting *w, uint64_t due)
{
    const uint64_t left = due > w->now ? due - w->now : 0;
    sooner(w, left < INT_MAX ? (int)left : INT_MAX);
}

static void wait_for_http(waiting *w, plat_http *http)
{
    plat_poll polls[PLAT_HTTP_POLLS];
    int wake_in_ms;

    http->ops->poll(http, polls, &wake_in_ms);
    sooner(w, wake_in_ms);
    for (int i = 0; i < PLAT_HTTP_POLLS; i++) {
        if (polls[i].fd >= 0 && w->used < IOTHUB_UPLOAD_POLL_FDS) {
            w->out->fds[w->used++] = polls[i];
        }
    }
}

static void wait_for_slots(iothub_upload *u, waiting *w)
{
    for (uint32_t i = 0; i < u->o.parallel; i++) {
        const slot *s = &u->slots[i];
        switch (s->state) {
        case SLOT_FREE: break;
        case SLOT_FILLING: sooner(w, READ_AGAIN_MS); break;
        case SLOT_READY: wait_until(w, s->due); break;
        case SLOT_BUSY: wait_for_http(w, s->http); break;
        }
    }
}

void iothub_upload_poll_info(iothub_upload *u, iothub_upload_poll *out)
{
    waiting w = { .out = out };

    for (int i = 0; i < IOTHUB_UPLOAD_POLL_FDS; i++) {
        out->fds[i] = (plat_poll){ .fd = -1 };
    }
    out->timeout_ms = -1;
    if (u == NULL || u->info.state >= IOTHUB_UPLOAD_SUCCEEDED) {
        return;
    }
    w.now = now_ms(u);
    if (u->info.state == IOTHUB_UPLOAD_SENDING) {
        wait_for_slots(u, &w);
    } else if (u->control.busy) {
        wait_for_http(&w, u->control.http);
    } else {
        wait_until(&w, u->control.due);
    }
    if (u->o.give_up_ms != 0 && u->info.state < IOTHUB_UPLOAD_NOTIFYING) {
        wait_until(&w, u->last_success + u->o.give_up_ms);
    }
    sooner(&w, u->cancelled && can_cancel(u) ? 0 : -1);
}

iothub_upload_state iothub_upload_wait(iothub_upload *u, uint32_t max_ms)
{
    enum { SHORT_MS = 20 }; /* if there are more descriptors than the platform waits for */
    iothub_upload_poll p;
    size_t count = 0;

    if (u == NULL) {
        return IOTHUB_UPLOAD_FAILED;
    }
    iothub_upload_poll_info(u, &p);
    while (count < IOTHUB_UPLOAD_POLL_FDS && p.fds[count].fd >= 0) {
        count++;
    }
    int ms = max_ms < INT_MAX ? (int)max_ms : INT_MAX;
    if (p.timeout_ms >= 0 && p.timeout_ms < ms) {
        ms = p.timeout_ms;
    }
    if (count > PLAT_WAIT_MAX && ms > SHORT_MS) {
        ms = SHORT_MS;
    }
    if (u->info.state < IOTHUB_UPLOAD_SUCCEEDED) {
        const plat_net *net = u->o.platform->net;
        net->wait(net, p.fds, count < PLAT_WAIT_MAX ? count : PLAT_WAIT_MAX, ms);
    }
    return iothub_upload_process(u);
}

/* --- options
 * --------------------------------------------------------------------------------------- */

void iothub_upload_options_init_sized(iothub_upload_options *o, size_t struct_size)
{
    enum { BLOCK = 4 * 1024 * 1024, PARALLEL = 3, SECOND = 1000, GIVE_UP = 600 * 1000 };
    const iothub_upload_options defaults = {
        .struct_size = struct_size,
        .port = HTTPS_PORT,
        .block_size = BLOCK,
        .parallel = PARALLEL,
        .request_timeout_ms = 60 * SECOND,
        .give_up_ms = GIVE_UP,
        .retry_min_ms = SECOND,
        .retry_max_ms = 60 * SECOND,
    };

    if (o != NULL) {
        iothub_struct_out(o, struct_size, &defaults, sizeof defaults);
    }
}

static bool is_printable(const char *text, size_t most)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++) {
        if (len == most || text[len] < ' ' || text[len] > '~') {
            return false;
        }
    }
    return true;
}

static const char *find_fault(const iothub_upload_options *o)
{
    if (o->platform == NULL) {
        return "platform is missing";
    }
    if (o->data != NULL && o->reader != NULL) {
        return "data and reader: only one of them is allowed";
    }
    if (o->data == NULL && o->data_len > 0) {
        return "data_len is set, but data is NULL";
    }
    if (o->block_size < IOTHUB_UPLOAD_BLOCK_MIN || o->block_size > IOTHUB_UPLOAD_BLOCK_MAX) {
        return "block_size is not 1024 to 4194304";
    }
    if (o->parallel < 1 || o->parallel > IOTHUB_UPLOAD_PARALLEL_MAX) {
        return "parallel is not 1 to 8";
    }
    if (o->port == 0 || o->request_timeout_ms == 0 || o->retry_min_ms == 0 ||
        o->retry_max_ms < o->retry_min_ms) {
        return "port, request_timeout_ms or retry_min_ms is 0, or retry_max_ms is smaller than "
               "retry_min_ms";
    }
    if ((o->state != NULL) != (o->state_key != NULL)) {
        return "state and state_key: both are needed, or none";
    }
    if (o->content_type != NULL && !is_printable(o->content_type, CONTENT_TYPE_MAX)) {
        return "content_type is longer than 128 bytes, or not printable ASCII";
    }
    if (o->tag != NULL && !is_printable(o->tag, IOTHUB_UPLOAD_TAG_MAX)) {
        return "tag is longer than 128 bytes, or not printable ASCII";
    }
    return upload_name_fault(o->blob_name);
}

static iothub_result check_device(const iothub_connection_string *d, iothub_error *error)
{
    if (d->kind != IOTHUB_IDENTITY_DEVICE) {
        return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED, "upload: only a device can upload files");
    }
    return d->x509 ? iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                                 "upload: client certificates cannot be used yet")
                   : IOTHUB_OK;
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

/* Copies a text to *at. Returns the copy. */
static const char *copy_text(char **at, const char *text)
{
    char *copy = *at;

    if (text == NULL) {
        return NULL;
    }
    memcpy(copy, text, strlen(text) + 1);
    *at += strlen(text) + 1;
    return copy;
}

static size_t size_of_text(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static bool copy_texts(iothub_upload *u)
{
    iothub_upload_options *o = &u->o;

    o->content_type = text_or(o->content_type, "application/octet-stream");
    o->tag = text_or(o->tag, "");
    const char **const texts[] = { &o->connection_string, &o->ca_file, &o->proxy,    &o->blob_name,
                                   &o->content_type,      &o->tag,     &o->state_key };
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size += size_of_text(*texts[i]);
    }
    u->texts = malloc(size);
    if (u->texts == NULL) {
        return false;
    }
    char *at = u->texts;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = copy_text(&at, *texts[i]);
    }
    return true;
}

/* --- the start
 * -------------------------------------------------------------------------------------- */

static bool make_requests(iothub_upload *u)
{
    plat_result (*make)(plat_http **) =
        u->o.make_http != NULL ? u->o.make_http : plat_curl_http_new;

    if (make(&u->control.http) != PLAT_OK) {
        return false;
    }
    for (uint32_t i = 0; i < u->o.parallel; i++) {
        slot *s = &u->slots[i];
        s->bytes = malloc(u->o.block_size);
        if (s->bytes == NULL || make(&s->http) != PLAT_OK) {
            return false;
        }
    }
    return true;
}

static void put_source(const iothub_upload *u, char *out)
{
    iothub_text t;

    iothub_text_init(&t, out, UPLOAD_SOURCE_SIZE);
    iothub_text_put_span(&t, u->device.host_name);
    iothub_text_put_char(&t, '/');
    iothub_text_put_span(&t, u->device.device_id);
    iothub_text_put_char(&t, '/');
    iothub_text_put(&t, u->o.blob_name);
    const uint64_t numbers[] = { u->o.block_size, u->source.about.size, u->source.about.version };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        iothub_text_put_char(&t, ' ');
        iothub_text_put_u64(&t, numbers[i]);
    }
    iothub_text_put_char(&t, ' ');
    iothub_text_put(&t, u->o.tag);
    (void)iothub_text_finish(&t);
}

/* Continues what an earlier run has begun. */
static void resume(iothub_upload *u)
{
    char source[UPLOAD_SOURCE_SIZE];

    put_source(u, source);
    const bool found =
        u->o.state != NULL && upload_saved_get(u->o.state, u->o.state_key, &u->saved) == PLAT_OK;
    const bool same = found && strcmp(source, u->saved.source) == 0 && u->source.about.rewinds;
    memcpy(u->saved.source, source, sizeof source);
    if (!found) {
        u->info.state = IOTHUB_UPLOAD_REQUESTING;
        return;
    }
    if (!same) {
        upload_blocks_clear(&u->saved.blocks);
    }
    count_sent(u);
    if (same && u->saved.outcome == UPLOAD_OPEN && upload_saved_has_token(&u->saved)) {
        u->info.state = IOTHUB_UPLOAD_SENDING;
        return;
    }
    /* Only the outcome of the same bytes is that of this upload. */
    u->goes_on = !same || u->saved.outcome != UPLOAD_SUCCEEDED;
    if (u->saved.outcome == UPLOAD_OPEN) {
        u->saved.outcome = UPLOAD_FAILED;
    }
    u->info.state = IOTHUB_UPLOAD_NOTIFYING;
}

static iothub_result check_size(iothub_upload *u, iothub_error *error)
{
    const uint64_t size = u->source.about.size;

    if (size == PLAT_SIZE_UNKNOWN || upload_source_blocks(&u->source) <= IOTHUB_UPLOAD_BLOCKS_MAX) {
        return IOTHUB_OK;
    }
    char number[24];
    iothub_text t;
    iothub_text_init(&t, number, sizeof number);
    iothub_text_put_u64(&t, (size + IOTHUB_UPLOAD_BLOCKS_MAX - 1) / IOTHUB_UPLOAD_BLOCKS_MAX);
    (void)iothub_text_finish(&t);
    return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                       "upload: more than 50000 blocks; block_size must be at least %s", number);
}

static iothub_result prepare(iothub_upload *u, iothub_error *error)
{
    const char *fault = find_fault(&u->o);

    if (fault != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG, "upload: %s", fault);
    }
    iothub_connection_string d;
    iothub_result r = iothub_connection_string_parse(&d, u->o.connection_string, error);
    r = r == IOTHUB_OK ? check_device(&d, error) : r;
    if (r != IOTHUB_OK) {
        return r;
    }
    if (!copy_texts(u)) {
        return iothub_fail(error, IOTHUB_ERR_MEMORY, "upload: no memory is left");
    }
    (void)iothub_connection_string_parse(&u->device, u->o.connection_string, NULL);
    if (upload_source_init(&u->source, &u->o) != PLAT_OK) {
        return iothub_fail(error, IOTHUB_ERR_STORE, "upload: source: %s",
                           u->o.reader->ops->detail(u->o.reader));
    }
    r = check_size(u, error);
    if (r == IOTHUB_OK && !make_requests(u)) {
        r = iothub_fail(error, IOTHUB_ERR_MEMORY, "upload: no memory is left");
    }
    return r;
}

iothub_upload *iothub_upload_start(const iothub_upload_options *o, iothub_error *error)
{
    iothub_upload *u = calloc(1, sizeof *u);

    if (u == NULL) {
        (void)iothub_fail(error, IOTHUB_ERR_MEMORY, "upload: no memory is left");
        return NULL;
    }
    iothub_result r =
        o == NULL ? iothub_fail(error, IOTHUB_ERR_ARG, "upload: the options are NULL")
                  : iothub_struct_in(&u->o, sizeof u->o, o, o->struct_size, "upload", error);
    r = r == IOTHUB_OK ? prepare(u, error) : r;
    if (r != IOTHUB_OK) {
        iothub_upload_free(u);
        return NULL;
    }
    u->last_success = now_ms(u);
    resume(u);
    u->info.size = u->source.about.size;
    u->info.text = u->latest.text;
    return u;
}

static void free_slot(slot *s)
{
    if (s->http != NULL) {
        s->http->ops->free(s->http);
    }
    free(s->bytes);
}

void iothub_upload_free(iothub_upload *u)
{
    if (u == NULL) {
        return;
    }
    for (size_t i = 0; i < IOTHUB_UPLOAD_PARALLEL_MAX; i++) {
        free_slot(&u->slots[i]);
    }
    if (u->control.http != NULL) {
        u->control.http->ops->free(u->control.http);
    }
    if (u->info.state == IOTHUB_UPLOAD_SENDING) {
        save(u);
    }
    if (u->texts != NULL) {
        iothub_wipe(u->texts, strlen(u->texts)); /* the connection string comes first */
    }
    free(u->texts);
    free(u->control.list);
    iothub_wipe(u, sizeof *u);
    free(u);
}
