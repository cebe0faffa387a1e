/*
 * X.509: logs in with a client certificate and sends messages. When the certificate expires soon,
 * the sample reads its files again, which another program may have renewed, and replaces it.
 *
 *     export IOTHUB_DEVICE_CONNECTION_STRING="HostName=...;DeviceId=...;x509=true"
 *     export IOTHUB_X509_CERTIFICATE_FILE=device.pem   the device's certificate, then its issuers
 *     export IOTHUB_X509_KEY_FILE=device.key    its private key; not needed if it is in device.pem
 *     x509 --count 5
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

typedef struct app {
    /* The first member, because the callbacks of sample.c receive the same pointer. */
    sample sample;
    plat_identity *identities[2]; /* one in use, and one to replace it */
    iothub_credential credentials[2];
    bool expires; /* the certificate in use expires soon */
    unsigned sent, arrived;
} app;

static const plat_identities *identities(const app *a)
{
    return a->sample.options.platform->identities;
}

/* Returns the length of the passphrase of an encrypted key. */
static size_t on_passphrase(void *user, char *out, size_t cap)
{
    const char *text = getenv("IOTHUB_X509_PASSPHRASE");
    /* A length above cap means that there is no passphrase. */
    const size_t len = text != NULL ? strlen(text) : cap + 1;

    (void)user;
    if (text != NULL && len <= cap) {
        memcpy(out, text, len);
    }
    return len;
}

/* Reads certificate and key, and makes credential number i of them. */
static bool read_files(app *a, unsigned i)
{
    const plat_identity_config config = { .chain = { .file =
                                                         getenv("IOTHUB_X509_CERTIFICATE_FILE") },
                                          .key = { .file = getenv("IOTHUB_X509_KEY_FILE") },
                                          .passphrase = on_passphrase };
    plat_identity_fault fault;

    identities(a)->release(a->identities[i]);
    if (identities(a)->make(identities(a), &config, &a->identities[i], &fault) != PLAT_OK) {
        (void)sample_fail(fault.text);
        return false;
    }
    a->credentials[i] = iothub_x509_credential(a->identities[i]);
    return true;
}

static int64_t end_of(const app *a, unsigned i)
{
    plat_identity_info info;
    identities(a)->describe(a->identities[i], &info);
    return info.chain_until_s;
}

/* Replaces the certificate if the files hold one that is valid for longer. */
static void renew(app *a, iothub_client *c)
{
    iothub_credentials_info info;

    iothub_get_credentials(c, &info);
    if (info.replacement != NULL) { /* the previous replacement is not in use yet */
        return;
    }
    const unsigned used = info.credentials == &a->credentials[0] ? 0 : 1;
    const unsigned next = 1 - used;
    a->expires = false;
    if (!read_files(a, next) || end_of(a, next) <= end_of(a, used)) {
        printf("the certificate expires soon, and there is no newer one\n");
    } else if (iothub_set_credentials(c, &a->credentials[next], 1) == IOTHUB_OK) {
        printf("replacing the certificate\n");
    } else {
        (void)sample_fail(iothub_last_error(c)->text);
    }
}

static void on_expiring(iothub_client *c, int64_t seconds_left, void *user)
{
    (void)c;
    (void)seconds_left;
    ((app *)user)->expires = true; /* the main loop reads the files, because that takes time */
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    if (d->result == IOTHUB_OK) {
        printf("message %u is at the hub\n", ++a->arrived);
    }
}

/* Sends a message when the one before it was acknowledged. */
static void run(app *a, iothub_client *c)
{
    while (sample_goes_on(&a->sample) && a->arrived < a->sample.count) {
        char body[32];
        const int len = snprintf(body, sizeof body, "{\"number\":%u}", a->sent + 1);
        const iothub_telemetry message = { .body = body, .body_len = (size_t)len };
        if (a->sent == a->arrived && iothub_send_telemetry(c, &message, NULL) == IOTHUB_OK) {
            a->sent++;
        }
        if (a->expires) {
            renew(a, c);
        }
        (void)iothub_wait(c, 200);
    }
}

static int work(app *a)
{
    iothub_error error;

    iothub_client *c = iothub_new(a->sample.connection_string, &a->sample.options, &error);
    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    run(a, c);
    sample_stop(&a->sample, c);
    iothub_free(c);
    return sample_exit_status(&a->sample, a->arrived == a->sample.count);
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 5, .duration_s = 60 } };

    sample_init(&a.sample, argc, argv, "Send telemetry with a client certificate.");
    a.sample.options.callbacks.done = on_done;
    a.sample.options.callbacks.token_expiring = on_expiring;
    a.sample.options.credentials = a.credentials;
    a.sample.options.credential_count = 1;

    const int status = read_files(&a, 0) ? work(&a) : 1;
    identities(&a)->release(a.identities[0]); /* the last use of a key erases it */
    identities(&a)->release(a.identities[1]);
    return status;
}
