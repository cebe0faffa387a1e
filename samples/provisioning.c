/*
 * Provisioning: a device that knows an id scope and a key or a certificate finds its hub with the
 * Device Provisioning Service, sends messages, and remembers the hub for its next run.
 *
 *     export IOTHUB_DPS_ID_SCOPE=0ne00000000 IOTHUB_DPS_REGISTRATION_ID=sensor-1
 *     export IOTHUB_DPS_KEY=...         (or IOTHUB_DPS_GROUP_KEY, see "iothub derive-key --help";
 *                                        or IOTHUB_X509_CERTIFICATE_FILE and IOTHUB_X509_KEY_FILE)
 *     provisioning --count 5 --cache state
 *
 * The device sends from the first second. Messages wait in the client until the hub is known.
 */

#include <stdio.h>
#include <stdlib.h>

#include <iothub/provisioning.h>
#include <platform/file_kv.h>

#include "sample.h"

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    plat_kv *cache;
    plat_identity *identity; /* NULL: the device has a key */
    iothub_credential certificate;
    unsigned ended;
    unsigned arrived;
} app;

/* Called when the service, or the cache, has named the hub. */
static void on_assigned(iothub_client *c, const iothub_assignment *a, void *user)
{
    (void)c;
    (void)user;
    sample_print("assigned to %s as %s%s", a->hub, a->device_id,
                 a->from_cache ? " (from the cache)" : "");
    if (a->payload.len > 0) {
        sample_print("payload: %.*s", (int)a->payload.len, (const char *)a->payload.ptr);
    }
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    a->ended++;
    a->arrived += d->result == IOTHUB_OK ? 1 : 0;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

/* Requires the id scope, the registration id and a credential; the library checks everything
 * else. */
static bool read_environment(app *a, iothub_provisioning_options *p)
{
    a->identity = sample_identity(&a->sample);
    a->certificate = iothub_x509_credential(a->identity);
    p->credential = a->identity != NULL ? &a->certificate : NULL;
    p->id_scope = environment("IOTHUB_DPS_ID_SCOPE");
    p->registration_id = environment("IOTHUB_DPS_REGISTRATION_ID");
    if (a->identity == NULL) {
        p->key = environment("IOTHUB_DPS_KEY");
        p->group_key = p->key == NULL ? environment("IOTHUB_DPS_GROUP_KEY") : NULL;
    }
    p->port = a->sample.options.port; /* the emulator has one port for the hub and the service */
    if (environment("IOTHUB_DPS_HOST") != NULL) {
        p->host = environment("IOTHUB_DPS_HOST");
    }
    if (p->id_scope == NULL || p->registration_id == NULL ||
        (p->key == NULL && p->group_key == NULL && a->identity == NULL)) {
        (void)sample_fail("set IOTHUB_DPS_ID_SCOPE, IOTHUB_DPS_REGISTRATION_ID, and "
                          "IOTHUB_DPS_KEY, IOTHUB_DPS_GROUP_KEY or IOTHUB_X509_CERTIFICATE_FILE");
        return false;
    }
    return true;
}

static bool open_cache(app *a)
{
    char detail[PLAT_KV_DETAIL_SIZE];

    if (a->sample.cache[0] == '\0' ||
        plat_file_kv_open(a->sample.cache, &a->cache, detail) == PLAT_OK) {
        return true;
    }
    (void)sample_fail(detail);
    return false;
}

/* The queue has room for all messages, in which they wait until the hub is known. */
static bool send_all(const app *a, iothub_client *c)
{
    for (unsigned n = 1; n <= a->sample.count; n++) {
        char body[40];
        const int len = snprintf(body, sizeof body, "{\"number\":%u}", n);
        const iothub_telemetry message = { .body = body,
                                           .body_len = (size_t)len,
                                           .content_type = "application/json",
                                           .content_encoding = "utf-8" };
        if (iothub_send_telemetry(c, &message, NULL) != IOTHUB_OK) {
            (void)sample_fail(iothub_last_error(c)->text);
            return false;
        }
    }
    return true;
}

static int run(app *a, const iothub_provisioning_options *p)
{
    iothub_error error;
    iothub_client *c = iothub_new_provisioned(p, &a->sample.options, &error);

    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    bool sent = send_all(a, c);
    while (sent && sample_goes_on(&a->sample) && a->ended < a->sample.count) {
        (void)iothub_wait(c, 200);
    }
    sample_stop(&a->sample, c);
    iothub_free(c);
    printf("%u messages arrived\n", a->arrived);
    return sample_exit_status(&a->sample, a->arrived == a->sample.count);
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 5, .duration_s = 60, .cache = "" } };
    iothub_provisioning_options p;

    sample_init(&a.sample, argc, argv,
                "Find the hub with the Device Provisioning Service, and send telemetry to it.");
    a.sample.options.callbacks.done = on_done;
    iothub_provisioning_options_init(&p);
    if (!read_environment(&a, &p)) {
        return 2;
    }
    if (!open_cache(&a)) {
        return 1;
    }
    p.cache = a.cache;
    p.assigned = on_assigned;
    const int status = run(&a, &p);
    plat_file_kv_close(a.cache);
    if (a.identity != NULL) {
        a.sample.options.platform->identities->release(a.identity);
    }
    return status;
}
