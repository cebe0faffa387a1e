#include "hub_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"

static void remember(void *user, const char *client_id, const char *topic, const void *payload,
                     size_t len, int qos)
{
    hub_fixture *f = user;

    assert_true(f->sent_count < sizeof f->sent / sizeof f->sent[0]);
    f->sent[f->sent_count++] = (sent_publish){
        .client_id = hub_strdup(client_id),
        .topic = hub_strdup(topic),
        .payload = hub_memdup(payload, len),
        .len = len,
        .qos = qos,
    };
}

static void drop(void *user, const char *client_id)
{
    hub_fixture *f = user;

    assert_true(strlen(f->dropped) + strlen(client_id) + 2 < sizeof f->dropped);
    strcat(f->dropped, client_id);
    strcat(f->dropped, " ");
    /* Mosquitto, too, reports the end of the connection before the function returns. */
    for (const hub_connection *c = hub_list_first(&f->hub.connections.all); c != NULL;
         c = hub_list_next(&c->in_all)) {
        if (strcmp(c->client_id, client_id) == 0) {
            hub_disconnected(&f->hub, c->key);
            return;
        }
    }
}

static void end_session(void *user, const char *client_id)
{
    hub_fixture *f = user;
    size_t len = strlen(f->ended);

    (void)snprintf(f->ended + len, sizeof f->ended - len, "%s ", client_id);
}

static void no_log(void *user, const char *line)
{
    (void)user;
    (void)line;
}

static void take_notice(void *user, const char *line)
{
    hub_fixture *f = user;
    size_t len = strlen(f->notices);

    (void)snprintf(f->notices + len, sizeof f->notices - len, "%s\n", line);
}

static void take_order(void *user, const hub_note *note)
{
    hub_fixture *f = user;

    assert_true(f->order_count < sizeof f->orders / sizeof f->orders[0]);
    f->orders[f->order_count++] = *note;
}

static hub_clock still(void *user)
{
    const hub_fixture *f = user;
    return (hub_clock){ .wall_ms = f->now_ms + f->step_ms, .up_ms = f->now_ms };
}

void fixture_open(hub_fixture *f)
{
    const hub_broker broker = {
        .user = f,
        .publish = remember,
        .drop = drop,
        .end_session = end_session,
        .log = no_log,
        .notice = take_notice,
        .now = still,
        .order = take_order,
    };
    hub_fault fault;

    if (hub_open(&f->hub, f->dir, &broker, &fault) != HUB_OK) {
        fail_msg("%s", fault.text);
    }
}

int fixture_setup(void **state)
{
    hub_fixture *f = hub_calloc(1, sizeof *f);
    hub_identity *made;
    hub_fault fault;

    hub_json_init();
    f->now_ms = INT64_C(1000) * FIXTURE_NOW_S;
    (void)snprintf(f->dir, sizeof f->dir, "%s/hub_fixture.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir);
    assert_non_null(mkdtemp(f->dir));
    fixture_open(f);
    assert_int_equal(
        hub_registry_create(&f->hub.registry, "device1", NULL, NULL, f->now_ms, &made, &fault),
        HUB_OK);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    hub_fixture *f = *state;
    DIR *dir = opendir(f->dir);
    const struct dirent *entry;

    fixture_forget_sent(f);
    hub_close(&f->hub);
    while ((entry = readdir(dir)) != NULL) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

void fixture_restart(hub_fixture *f)
{
    hub_close(&f->hub);
    fixture_open(f);
}

void fixture_forget_sent(hub_fixture *f)
{
    for (size_t i = 0; i < f->sent_count; i++) {
        free(f->sent[i].client_id);
        free(f->sent[i].topic);
        free(f->sent[i].payload);
    }
    f->sent_count = 0;
}

hub_identity *fixture_device(hub_fixture *f, const char *device)
{
    hub_identity *id = hub_registry_find_client(&f->hub.registry, device);
    assert_non_null(id);
    return id;
}

char *fixture_token(const char *resource, const char *key, int64_t expiry_s, const char *policy)
{
    hub_text sr = { 0 };
    hub_text sig = { 0 };
    uint8_t mac[HUB_SHA256_SIZE];
    size_t key_len;
    uint8_t *secret = hub_base64_decode(key, &key_len);

    hub_percent_encode(resource, &sr);
    char *text = hub_format("%s\n%lld", sr.p, (long long)expiry_s);
    hub_hmac_sha256(secret, key_len, text, strlen(text), mac);
    char *base64 = hub_base64_encode(mac, sizeof mac);
    hub_percent_encode(base64, &sig);
    char *token = hub_format("SharedAccessSignature sr=%s&sig=%s&se=%lld%s%s", sr.p, sig.p,
                             (long long)expiry_s, policy != NULL ? "&skn=" : "",
                             policy != NULL ? policy : "");
    free(secret);
    free(text);
    free(base64);
    hub_text_free(&sr);
    hub_text_free(&sig);
    return token;
}

hub_result fixture_connect(hub_fixture *f, const void *key, const char *client_id, bool clean)
{
    const hub_identity *id = fixture_device(f, client_id);
    char *resource = id->module == NULL
                         ? hub_format("localhost/devices/%s", id->device)
                         : hub_format("localhost/devices/%s/modules/%s", id->device, id->module);
    char *token = fixture_token(resource, id->primary_key, f->now_ms / 1000 + 3600, NULL);
    char *user = hub_format("localhost/%s/?api-version=2021-04-12", client_id);
    const hub_credentials c = {
        .client_id = client_id,
        .user_name = user,
        .password = token,
        .number = ++f->last_number,
    };
    hub_fault fault;

    hub_result r = hub_connect(&f->hub, key, &c, clean, &fault);
    free(resource);
    free(token);
    free(user);
    return r;
}

void fixture_subscribe(hub_fixture *f, const void *key, const char *filter, int qos)
{
    hub_fault fault;
    assert_int_equal(hub_subscribe(&f->hub, key, filter, qos, &fault), HUB_OK);
}

hub_result fixture_publish(hub_fixture *f, const void *key, const char *topic, const char *text)
{
    const hub_publish p = { .topic = topic, .payload = text, .len = strlen(text) };
    hub_fault fault;

    hub_result r = hub_check_publish(&f->hub, key, &p, &fault);
    if (r == HUB_OK) {
        r = hub_accept_publish(&f->hub, key, &p);
        hub_send_queued(&f->hub);
    }
    return r;
}

void fixture_queue(hub_fixture *f, const char *device, const char *body, int64_t ttl_s)
{
    const hub_bag none = { 0 };
    hub_fault fault;

    assert_int_equal(hub_c2d_add(&fixture_device(f, device)->c2d, &f->hub.registry.store, &none,
                                 body, strlen(body), still(f), ttl_s, &fault),
                     HUB_OK);
    hub_wake(&f->hub, hub_registry_find(&f->hub.registry, device, NULL));
}
