#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "twin_fixture.h"

/* A hub with a twin that changes, and an application that keeps what its callbacks report.
 * Between them everything can go wrong: answers and notifications are lost, late, repeated,
 * reordered, refused, unreadable or too large, or arrive on the next connection. In the end both
 * must have the same document. */

enum { OPS = 1024, MAIL = 12, STEPS = 30 };

/* A message that the hub has sent and the client has not received. */
typedef struct mail {
    char topic[160];
    char body[2048];
    unsigned connection; /* the connection on which it was sent */
} mail;

typedef struct world {
    client_fixture f; /* must be the first member: callbacks get this pointer */
    uint32_t seed;

    cJSON *desired; /* the hub's document */
    uint64_t version;
    unsigned newest_report; /* number of the last report that was applied */
    bool applied[OPS];
    unsigned seen; /* number of publishes that were handled */
    mail mails[MAIL];
    unsigned mail_count;
    unsigned losses; /* number of notifications, out of 16, that are lost */

    cJSON *told; /* the document as the application received it */
    uint64_t told_version;
    unsigned report_count;
    unsigned report_of[OPS]; /* indexed by op: 1 + the number of the report, or 0 for a GET */
    uint8_t taken[OPS], ended[OPS];
    bool settled; /* no more faults happen */
} world;

static uint32_t roll(world *w, uint32_t sides)
{
    w->seed = w->seed * 1664525u + 1013904223u;
    return (w->seed >> 8) % sides;
}

/* --- JSON -------------------------------------------------------------------------------- */

/* RFC 7396. */
static void merge(cJSON *target, const cJSON *patch)
{
    const cJSON *change;

    cJSON_ArrayForEach(change, patch)
    {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(target, change->string);
        if (cJSON_IsObject(change)) {
            if (!cJSON_IsObject(old)) {
                cJSON_DeleteItemFromObjectCaseSensitive(target, change->string);
                old = cJSON_AddObjectToObject(target, change->string);
            }
            merge(old, change);
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(target, change->string);
        if (!cJSON_IsNull(change)) {
            (void)cJSON_AddItemToObject(target, change->string, cJSON_Duplicate(change, true));
        }
    }
}

static cJSON *parse(mqc_span json)
{
    cJSON *object = cJSON_ParseWithLength((const char *)json.ptr, json.len);
    assert_true(cJSON_IsObject(object));
    /* Removed, since a double cannot hold it exactly. */
    cJSON_DeleteItemFromObjectCaseSensitive(object, "$version");
    return object;
}

/* {"$version":N,...} */
static void print(const cJSON *object, uint64_t version, char *out, size_t cap)
{
    char *text = cJSON_PrintUnformatted(object);
    const char *more = text + 1;

    snprintf(out, cap, "{\"$version\":%llu%s%s", (unsigned long long)version,
             more[0] == '}' ? "" : ",", more);
    free(text);
}

static cJSON *random_change(world *w, unsigned depth)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    cJSON *patch = cJSON_CreateObject();

    for (uint32_t n = 1 + roll(w, 2); n > 0; n--) {
        const char *name = names[roll(w, 4)];
        cJSON_DeleteItemFromObjectCaseSensitive(patch, name);
        switch (roll(w, depth < 2 ? 5 : 3)) {
        case 0: (void)cJSON_AddNullToObject(patch, name); break;
        case 1: (void)cJSON_AddNumberToObject(patch, name, roll(w, 1000)); break;
        case 2: (void)cJSON_AddStringToObject(patch, name, roll(w, 2) ? "\"}\\" : ""); break;
        default: (void)cJSON_AddItemToObject(patch, name, random_change(w, depth + 1)); break;
        }
    }
    return patch;
}

/* --- the hub --------------------------------------------------------------------------- */

static bool hub_can_send(world *w)
{
    scripted_stream *s = fixture_stream(&w->f);
    return s != NULL && s->state == SCRIPTED_READY &&
           iothub_get_state(w->f.client) >= IOTHUB_SUBSCRIBING;
}

static void hub_sends(world *w, unsigned n)
{
    mail m;

    if (!hub_can_send(w) || n >= w->mail_count) {
        return;
    }
    m = w->mails[n];
    /* Otherwise the message stays and is delivered a second time. */
    if (w->settled || roll(w, 6) != 0) {
        memmove(w->mails + n, w->mails + n + 1, (--w->mail_count - n) * sizeof m);
    }
    fake_hub_send(fixture_stream(&w->f), m.topic, m.body, strlen(m.body), 0);
}

static mail *new_mail(world *w)
{
    while (w->mail_count == MAIL && hub_can_send(w)) {
        hub_sends(w, 0);
    }
    if (w->mail_count == MAIL) { /* the client does not read, so the last message is lost */
        w->mail_count--;
    }
    mail *m = &w->mails[w->mail_count++];
    memset(m, 0, sizeof *m);
    m->connection = w->f.hub.connects;
    return m;
}

/* Writes a notification, which is sometimes malformed. */
static void write_patch(world *w, mail *m, const cJSON *patch)
{
    const char *topic = "$iothub/twin/PATCH/properties/desired/";

    snprintf(m->topic, sizeof m->topic, "%s?$version=%llu", topic, (unsigned long long)w->version);
    if (roll(w, 8) == 0) { /* the body contains the version, too */
        snprintf(m->topic, sizeof m->topic, "%s?x=y", topic);
    }
    print(patch, w->version, m->body, sizeof m->body);
}

static void spoil(world *w, mail *m)
{
    switch (roll(w, 4)) {
    case 0: m->body[strlen(m->body) - 1] = '\0'; break;
    case 1: memset(m->body, 'x', sizeof m->body - 1); break; /* longer than rx_size */
    case 2: snprintf(m->body, sizeof m->body, "{}"); break;
    default: snprintf(m->body, sizeof m->body, "{\"$version\":18446744073709551616}"); break;
    }
    snprintf(m->topic, sizeof m->topic, "$iothub/twin/PATCH/properties/desired/%s",
             roll(w, 2) ? "?$version=18446744073709551616" : "?%");
}

static void hub_changes(world *w)
{
    cJSON *patch = random_change(w, 0);

    merge(w->desired, patch);
    w->version++;
    if (roll(w, 16) >= w->losses) {
        mail *m = new_mail(w);
        write_patch(w, m, patch);
        if (!w->settled && roll(w, 8) == 0) {
            spoil(w, m);
        }
    }
    cJSON_Delete(patch);
}

/* The device is deleted and created again, so the hub closes its connection. */
static void hub_starts_over(world *w)
{
    cJSON_Delete(w->desired);
    w->desired = cJSON_CreateObject();
    w->version = 1;
    w->mail_count = 0;
    if (fixture_stream(&w->f) != NULL) {
        fixture_cut(&w->f);
    }
}

static void take_report(world *w, const fake_hub_publish *p)
{
    cJSON *patch = cJSON_Parse(p->payload);
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(patch, "number");

    assert_true(cJSON_IsNumber(number));
    unsigned n = (unsigned)number->valueint;
    assert_true(n >= w->newest_report && n < OPS); /* reports arrive in order, apart from repeats */
    w->newest_report = n;
    w->applied[n] = true;
    cJSON_Delete(patch);
}

static void write_document(world *w, mail *m)
{
    char *at = m->body + snprintf(m->body, sizeof m->body, "{\"desired\":");

    print(w->desired, w->version, at, 700);
    at += strlen(at);
    at += snprintf(at, 64, ",\"reported\":{\"$version\":7}");
    if (!w->settled && roll(w, 10) == 0) { /* makes the document too large, or cuts it */
        memset(at, ' ', roll(w, 2) ? 1000 : 0);
    } else {
        at += snprintf(at, 2, "}");
    }
}

static void take_twin_request(world *w, const fake_hub_publish *p)
{
    static const int later[] = { 429, 500, 503, 599 };
    const bool get = strncmp(p->topic, "$iothub/twin/GET/", 17) == 0;
    const bool refused = !w->settled && roll(w, 4) == 0;
    int status = refused ? later[roll(w, 4)] : get ? 200 : 204;

    /* A hub that refuses a report may have applied it all the same. */
    if (!get && (!refused || roll(w, 2))) {
        take_report(w, p);
    }
    if (!w->settled && roll(w, 12) == 0) {
        return; /* the answer is lost */
    }
    mail *m = new_mail(w);
    snprintf(m->topic, sizeof m->topic, "$iothub/twin/res/%d/?$rid=%u%s", status,
             (unsigned)twin_rid(p), refused || get ? "" : "&$version=9");
    if (get && !refused) {
        write_document(w, m);
    }
}

static void hub_reads(world *w)
{
    for (; w->seen < w->f.hub.publishes; w->seen++) {
        const fake_hub_publish *p = fake_hub_at(&w->f.hub, w->seen);
        if (strncmp(p->topic, "$iothub/twin/", 13) == 0) {
            take_twin_request(w, p);
        }
    }
}

/* Drops the messages of an earlier connection, except for a late answer. */
static void hub_forgets(world *w)
{
    unsigned kept = 0;

    for (unsigned n = 0; n < w->mail_count; n++) {
        if (w->mails[n].connection == w->f.hub.connects || roll(w, 4) == 0) {
            memmove(&w->mails[kept++], &w->mails[n], sizeof w->mails[0]);
        }
    }
    w->mail_count = kept;
}

/* --- the application --------------------------------------------------------------------- */

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    world *w = user;
    (void)c;
    if (d->result != IOTHUB_OK) {
        assert_int_equal(d->result, IOTHUB_ERR_TOO_BIG);
        return;
    }
    cJSON *json = parse(d->json);

    if (d->complete) {
        cJSON_Delete(w->told);
        w->told = json;
    } else {
        assert_true(d->version - w->told_version == 1);
        merge(w->told, json);
        cJSON_Delete(json);
    }
    w->told_version = d->version;
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    world *w = user;
    (void)c;

    assert_in_range(d->op, 1, OPS - 1);
    assert_int_equal(w->taken[d->op], 1);
    assert_int_equal(w->ended[d->op]++, 0);
    if (d->result == IOTHUB_OK) {
        assert_true(d->status == 200 || d->status == 204);
        assert_true(w->report_of[d->op] == 0 || w->applied[w->report_of[d->op]]);
    } else if (d->result == IOTHUB_ERR_TIMEOUT) {
        assert_true(d->status == 0 || d->status == 429 || d->status >= 500);
    } else {
        assert_int_equal(d->result, IOTHUB_ERR_TOO_BIG);
    }
}

static void account(world *w, iothub_result r, iothub_op op)
{
    if (r != IOTHUB_OK) {
        assert_int_equal(r, IOTHUB_ERR_NO_SPACE);
        return;
    }
    assert_in_range(op, 1, OPS - 1);
    assert_int_equal(w->taken[op]++, 0);
}

static void app_gets(world *w)
{
    iothub_op op = 0;
    iothub_result r = iothub_twin_get(w->f.client, NULL, &op);
    account(w, r, op);
}

static void app_reports(world *w)
{
    iothub_op op = 0;
    char json[64];
    unsigned n = w->report_count + 1;

    snprintf(json, sizeof json, "{\"number\":%u}", n);
    iothub_result r = iothub_twin_report(w->f.client, json, strlen(json), NULL, &op);
    account(w, r, op);
    if (r == IOTHUB_OK) {
        w->report_count = n;
        w->report_of[op] = n;
    }
}

/* --- histories ----------------------------------------------------------------------------- */

static void cut_somewhere(world *w)
{
    scripted_stream *s = fixture_stream(&w->f);

    if (s == NULL || s->state != SCRIPTED_READY) {
        return;
    }
    if (roll(w, 2)) { /* breaks the connection inside a message of the hub */
        s->recv_max = 1 + roll(w, 60);
        hub_sends(w, 0);
        (void)iothub_process(w->f.client);
        s->recv_max = 0;
    } else { /* breaks the connection inside a message of the client */
        s->send_room = roll(w, 60);
        app_reports(w);
        (void)iothub_process(w->f.client);
        s->send_room = SIZE_MAX;
    }
    fixture_cut(&w->f);
}

static void step(world *w)
{
    switch (roll(w, 12)) {
    case 0:
    case 1: hub_changes(w); break;
    case 2:
    case 3:
    case 4:
    case 5: hub_sends(w, roll(w, w->mail_count + 1)); break;
    case 6: roll(w, 3) == 0 ? app_gets(w) : app_reports(w); break;
    case 7:
        if (roll(w, 3) == 0) {
            cut_somewhere(w);
        }
        break;
    case 8:
        if (roll(w, 10) == 0) {
            hub_starts_over(w);
        }
        break;
    case 9: (void)iothub_reconnect_now(w->f.client); break;
    case 10: fixture_sleep(&w->f, roll(w, 100)); break;
    default: fixture_sleep(&w->f, roll(w, 8) ? roll(w, 3000) : roll(w, 100000)); break;
    }
    fixture_run(&w->f);
    hub_reads(w);
    hub_forgets(w);
}

static void rest(world *w, uint64_t ms)
{
    for (uint64_t slept = 0; slept < ms; slept += 5000) {
        fixture_sleep(&w->f, 5000);
        hub_reads(w);
        while (w->mail_count > 0 && hub_can_send(w)) {
            hub_sends(w, 0);
            fixture_run(&w->f);
            hub_reads(w);
        }
    }
}

static void options(iothub_options *o)
{
    o->callbacks.desired = on_desired;
    o->callbacks.done = on_done;
    o->callbacks.log = NULL;
    o->rx_size = 1024;
}

static void begin(world *w, uint32_t seed)
{
    static const uint64_t versions[] = { 1, 41, (UINT64_C(1) << 53) - 20, UINT64_MAX - 400 };

    memset(w, 0, sizeof *w);
    w->seed = seed * 7919u;
    w->version = versions[seed % 4];
    w->losses = seed % 3 * 3;
    w->desired = cJSON_CreateObject();
    w->told = cJSON_CreateObject();
    fixture_init(&w->f, options);
    w->f.hub.twin_status = 0; /* this file sends the answers instead */
    w->f.hub.session_present = seed % 2 == 0;
    w->f.platform.crypto.seed = seed;
    fixture_connect(&w->f);
}

static void end(world *w)
{
    cJSON_Delete(w->desired);
    cJSON_Delete(w->told);
    fixture_free(&w->f);
}

/* Tries each way in which the client can learn the last version of the hub, one at a time. */
static void last_word(world *w, uint32_t seed)
{
    w->losses = 16;
    hub_changes(w); /* the notification of this change is lost */
    switch (seed / 4 % 4) {
    case 0:
        w->losses = 0;
        hub_changes(w);
        break;
    case 1: { /* a notification that the client cannot parse */
        mail *m = new_mail(w);
        m->body[0] = '{';
        m->body[1] = '\0';
        spoil(w, m);
        break;
    }
    case 2: fixture_cut(&w->f); break;
    default: app_gets(w); break;
    }
}

static void check_truth(const world *w, uint32_t seed)
{
    if (!cJSON_Compare(w->told, w->desired, true) || w->told_version != w->version) {
        char *told = cJSON_PrintUnformatted(w->told);
        char *desired = cJSON_PrintUnformatted(w->desired);
        fail_msg("seed %u: told version %llu %s, not %llu %s", (unsigned)seed,
                 (unsigned long long)w->told_version, told, (unsigned long long)w->version,
                 desired);
    }
    for (unsigned op = 0; op < OPS; op++) {
        assert_int_equal(w->taken[op], w->ended[op]);
    }
}

static void live(world *w, uint32_t seed)
{
    w->settled = false;
    for (int n = 0; n < STEPS; n++) {
        step(w);
    }
    w->settled = true;
    rest(w, 130000); /* long enough for all requests and delays to end */
    assert_int_equal(iothub_get_state(w->f.client), IOTHUB_CONNECTED);
    if (w->losses == 0) { /* otherwise the client cannot know the last change */
        check_truth(w, seed);
    }
}

static void every_history_ends_with_the_document_of_the_hub(void **state)
{
    (void)state;
    world *w = malloc(sizeof *w);

    for (uint32_t seed = 1; seed <= 300; seed++) {
        begin(w, seed);
        for (int part = 0; part < 6; part++) {
            live(w, seed);
        }
        last_word(w, seed);
        rest(w, 130000);
        check_truth(w, seed);
        end(w);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_history_ends_with_the_document_of_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
