/*
 * A device whose certificate renews itself (a preview of the service): it registers with its
 * symmetric key at the Device Provisioning Service, receives a certificate for a key that it has
 * just made, and logs in to its hub with it. It renews the certificate in time, over its
 * connection.
 *
 *     export IOTHUB_DPS_ID_SCOPE=0ne00000000 IOTHUB_DPS_REGISTRATION_ID=sensor-1
 *     export IOTHUB_DPS_KEY=...
 *     issued_certificate --count 5 --cache state
 *
 * Key and certificate are saved in the directory of --cache for the next run.
 */

#include <stdio.h>
#include <stdlib.h>

#include <iothub/certificate.h>
#include <iothub/provisioning.h>
#include <platform/file_kv.h>

#include "sample.h"

typedef struct app {
    sample sample; /* must be the first member, as in provisioning.c */
    plat_kv *cache;
    unsigned ended;
    unsigned arrived;
} app;

/* Called when a new certificate has logged in, and when something has failed. */
static void on_changed(iothub_client *c, const iothub_certificate_info *info, void *user)
{
    (void)c;
    (void)user;
    if (info->fault.code != IOTHUB_OK) {
        (void)sample_fail(info->fault.text);
        return;
    }
    sample_print("received a certificate for %lld s, and logged in with it",
                 (long long)(info->not_after_s - info->not_before_s));
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    a->ended++;
    a->arrived += d->result == IOTHUB_OK ? 1 : 0;
}

/* Requires what the service needs; the library checks everything else. */
static bool read_environment(const app *a, iothub_provisioning_options *p)
{
    p->id_scope = getenv("IOTHUB_DPS_ID_SCOPE");
    p->registration_id = getenv("IOTHUB_DPS_REGISTRATION_ID");
    p->key = getenv("IOTHUB_DPS_KEY");
    p->port = a->sample.options.port; /* the emulator has one port for the hub and the service */
    p->cache = a->cache;
    if (getenv("IOTHUB_DPS_HOST") != NULL) {
        p->host = getenv("IOTHUB_DPS_HOST");
    }
    if (p->id_scope == NULL || p->registration_id == NULL || p->key == NULL) {
        (void)sample_fail("set IOTHUB_DPS_ID_SCOPE, IOTHUB_DPS_REGISTRATION_ID and IOTHUB_DPS_KEY");
        return false;
    }
    return true;
}

/* Prepares the certificate, with that of an earlier run if the cache has one. */
static bool make_certificate(app *a)
{
    static uint64_t memory[IOTHUB_CERTIFICATE_SIZE / sizeof(uint64_t)];
    iothub_options *o = &a->sample.options;
    iothub_certificate_options co;
    iothub_error error;

    iothub_certificate_options_init(&co);
    co.platform = o->platform;
    co.maker = plat_wolfssl_csr_maker();
    co.cache = a->cache;
    co.cache_key = "issued-certificate";
    co.changed = on_changed;
    o->certificate = iothub_certificate_init(memory, sizeof memory, &co, &error);
    o->rx_size = IOTHUB_CERTIFICATE_RX_MIN;
    o->request_size = IOTHUB_CERTIFICATE_REQUEST_MIN;
    if (o->certificate == NULL) {
        (void)sample_fail(error.text);
    }
    return o->certificate != NULL;
}

static int run(app *a, const iothub_provisioning_options *p)
{
    iothub_error error;
    iothub_client *c = iothub_new_provisioned(p, &a->sample.options, &error);

    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    for (unsigned n = 1; n <= a->sample.count; n++) {
        char body[40];
        const int len = snprintf(body, sizeof body, "{\"number\":%u}", n);
        const iothub_telemetry message = { .body = body, .body_len = (size_t)len };
        (void)iothub_send_telemetry(c, &message, NULL);
    }
    while (sample_goes_on(&a->sample) && a->ended < a->sample.count) {
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
    char detail[PLAT_KV_DETAIL_SIZE];
    iothub_provisioning_options p;
    int status = 1;

    sample_init(&a.sample, argc, argv, "Get a certificate that renews itself, and send telemetry.");
    a.sample.options.callbacks.done = on_done;
    if (a.sample.cache[0] != '\0' &&
        plat_file_kv_open(a.sample.cache, &a.cache, detail) != PLAT_OK) {
        return sample_fail(detail);
    }
    iothub_provisioning_options_init(&p);
    if (!read_environment(&a, &p)) {
        status = 2;
    } else if (make_certificate(&a)) {
        status = run(&a, &p);
        iothub_certificate_deinit(a.sample.options.certificate);
    }
    plat_file_kv_close(a.cache);
    return status;
}
