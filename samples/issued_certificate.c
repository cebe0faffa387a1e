/*
 * A device that requests its certificate from the Device Provisioning Service (a preview of the
 * service): it registers with its symmetric key, receives a certificate for a key that it has just
 * made, and logs in to its hub with it.
 *
 *     export IOTHUB_DPS_ID_SCOPE=0ne00000000 IOTHUB_DPS_REGISTRATION_ID=sensor-1
 *     export IOTHUB_DPS_KEY=...
 *     issued_certificate --count 5 --cache state
 *
 * Key and certificate are saved in the directory of --cache for the next run, which requests a new
 * certificate when less than a fifth of the life of the old one is left.
 */

#include <stdio.h>
#include <stdlib.h>

#include <iothub/provisioning.h>
#include <platform/file_kv.h>

#include "own_certificate.h"
#include "sample.h"

typedef struct app {
    sample sample; /* must be the first member, as in provisioning.c */
    own_certificate certificate;
    unsigned ended;
    unsigned arrived;
} app;

/* Called when the hub is known. The client connects to it next, with the new certificate. */
static void on_assigned(iothub_client *c, const iothub_assignment *a, void *user)
{
    own_certificate *certificate = &((app *)user)->certificate;

    sample_print("assigned to %s as %s", a->hub, a->device_id);
    if (a->certificates == NULL || certificate->identity != NULL) {
        return; /* none was requested, or the service has repeated its answer */
    }
    if (own_certificate_accept(certificate, a)) {
        sample_print("received a certificate");
        const iothub_result r = iothub_set_credentials(c, &certificate->credential, 1);
        if (r != IOTHUB_OK) { /* it is saved, and used by the next run */
            (void)sample_fail(iothub_result_str(r));
        }
    }
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
    if (getenv("IOTHUB_DPS_HOST") != NULL) {
        p->host = getenv("IOTHUB_DPS_HOST");
    }
    if (p->id_scope == NULL || p->registration_id == NULL || p->key == NULL) {
        (void)sample_fail("set IOTHUB_DPS_ID_SCOPE, IOTHUB_DPS_REGISTRATION_ID and IOTHUB_DPS_KEY");
        return false;
    }
    return true;
}

/* Opens the cache and takes the saved certificate, or requests one. */
static bool prepare(app *a, iothub_provisioning_options *p)
{
    own_certificate *certificate = &a->certificate;
    char detail[PLAT_KV_DETAIL_SIZE];

    certificate->platform = a->sample.options.platform;
    if (a->sample.cache[0] != '\0' &&
        plat_file_kv_open(a->sample.cache, &certificate->cache, detail) != PLAT_OK) {
        (void)sample_fail(detail);
        return false;
    }
    p->cache = certificate->cache;
    p->assigned = on_assigned;
    if (own_certificate_load(certificate)) {
        a->sample.options.credentials = &certificate->credential;
        a->sample.options.credential_count = 1;
        return true;
    }
    p->csr = certificate->request;
    p->api_version = "2025-07-01-preview";
    return own_certificate_request(certificate, p->registration_id);
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
    iothub_provisioning_options p;
    int status = 1;

    sample_init(&a.sample, argc, argv,
                "Get a certificate from the Device Provisioning Service, and send telemetry.");
    a.sample.options.callbacks.done = on_done;
    iothub_provisioning_options_init(&p);
    if (!read_environment(&a, &p)) {
        return 2;
    }
    if (prepare(&a, &p)) {
        status = run(&a, &p);
    }
    own_certificate_end(&a.certificate);
    plat_file_kv_close(a.certificate.cache);
    return status;
}
