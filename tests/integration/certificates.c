/*
 * A device that requests its certificate, and renews it again and again while it publishes.
 *
 * usage: certificates PORT RENEWALS HOW [CACHE-DIRECTORY]
 *
 * HOW is "key" (the connection string has a key), or "dps" (a registration provides the first
 * certificate), each alone for renewals as soon as possible, or with ":life" for renewals in the
 * course of the life of the certificates. If IOTHUB_TOKEN_KEY is a URI of PKCS #11, the key in that
 * token signs all requests and logins, and no key is made. The program ends when RENEWALS
 * certificates have logged in and each message was acknowledged, and prints what that took, as one
 * line of JSON.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iothub/certificate.h>
#include <iothub/provisioning.h>
#include <platform/file_kv.h>

#ifdef WITH_PKCS11
#include <platform/pkcs11.h>
#endif

#include "allocations.h"

enum { LEVEL_AFTER = 5, PATIENCE_MS = 600000, PACE_MS = 5 };

typedef struct run {
    iothub_certificate *certificate;
    unsigned wanted;
    bool by_hand, renews_saved;
    unsigned sent, ended, failed, surprises;
    unsigned changed, failures;
    uint64_t next_ms; /* the next message is not sent before this time */
    unsigned descriptors[2];
} run;

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    run *r = user;

    (void)c;
    r->failed += d->result != IOTHUB_OK || d->tag != (void *)(uintptr_t)(r->ended + 1);
    r->ended++; /* each message ends once and in order */
}

static void on_status(iothub_client *c, const iothub_status *s, void *user)
{
    run *r = user;

    (void)c;
    if (s->reason != IOTHUB_OK) {
        r->surprises++;
        fprintf(stderr, "%s: %s\n", iothub_state_str(s->state), s->text);
    }
}

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "%s: %s\n", module, text);
}

static void on_changed(iothub_client *c, const iothub_certificate_info *info, void *user)
{
    run *r = user;

    (void)c;
    if (info->fault.code != IOTHUB_OK) {
        printf("%s\n", info->fault.text);
        (void)fflush(stdout);
        r->failures++;
        return;
    }
    r->changed = info->renewals;
}

static void publish(run *r, iothub_client *c)
{
    char body[40];
    const int len = snprintf(body, sizeof body, "{\"number\":%u}", r->sent + 1);
    const iothub_telemetry m = { .body = body,
                                 .body_len = (size_t)len,
                                 .tag = (void *)(uintptr_t)(r->sent + 1) };

    const plat_clock *clock = plat_posix()->clock;

    if (clock->monotonic_ms(clock) < r->next_ms) {
        return;
    }
    r->next_ms = clock->monotonic_ms(clock) + PACE_MS;
    if (r->sent < r->ended + 16 && iothub_send_telemetry(c, &m, NULL) == IOTHUB_OK) {
        r->sent++;
    }
}

static void set_options(iothub_options *o, run *r, uint16_t port)
{
    static plat_platform platform;

    platform = *plat_posix();
    platform.identities = plat_posix_identities();
    iothub_options_init(o);
    o->platform = &platform;
    o->ca_file = getenv("IOTHUB_CA_FILE");
    o->port = port;
    o->rx_size = IOTHUB_CERTIFICATE_RX_MIN;
    o->request_size = IOTHUB_CERTIFICATE_REQUEST_MIN;
    o->retry_min_ms = 20;
    o->retry_max_ms = 500;
    o->auth_retry_min_ms = 100;
    o->auth_retry_max_ms = 500;
    o->request_timeout_ms = 3000;
    o->callbacks.done = on_done;
    o->callbacks.status = on_status;
    o->callbacks.log = on_log;
    o->user = r;
}

/* Takes the key of a token, if the environment names one. */
static void take_token_key(iothub_certificate_options *co)
{
#ifdef WITH_PKCS11
    static uint8_t public_key[PLAT_PUBLIC_KEY_MAX];
    static plat_signer *signer;
    const plat_pkcs11_config config = { .uri = getenv("IOTHUB_TOKEN_KEY") };
    plat_identity_fault fault;

    if (config.uri == NULL) {
        return;
    }
    if (plat_pkcs11_signer_new(&config, &signer, &fault) != PLAT_OK ||
        plat_pkcs11_public_key(&config, public_key, sizeof public_key, &co->public_key_len,
                               &fault) != PLAT_OK) {
        fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
    co->signer = signer;
    co->public_key = public_key;
#else
    (void)co;
#endif
}

static void make_certificate(iothub_options *o, run *r, plat_kv *cache)
{
    static uint64_t memory[IOTHUB_CERTIFICATE_SIZE / sizeof(uint64_t)];
    iothub_certificate_options co;
    iothub_error error;

    iothub_certificate_options_init(&co);
    co.platform = o->platform;
    co.maker = plat_wolfssl_csr_maker();
    co.cache = cache;
    co.changed = on_changed;
    take_token_key(&co);
    r->certificate = iothub_certificate_init(memory, sizeof memory, &co, &error);
    if (r->certificate == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    o->certificate = r->certificate;
}

static iothub_client *make_client(const iothub_options *o, bool dps, plat_kv *cache)
{
    iothub_provisioning_options p;
    iothub_client *c;
    iothub_error error;

    if (!dps) {
        c = iothub_new(getenv("IOTHUB_DEVICE_CONNECTION_STRING"), o, &error);
    } else {
        iothub_provisioning_options_init(&p);
        p.host = getenv("IOTHUB_DPS_HOST");
        p.port = o->port;
        p.id_scope = getenv("IOTHUB_DPS_ID_SCOPE");
        p.registration_id = getenv("IOTHUB_DPS_REGISTRATION_ID");
        p.key = getenv("IOTHUB_DPS_KEY");
        p.cache = cache;
        c = iothub_new_provisioned(&p, o, &error);
    }
    if (c == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return c;
}

/* Returns the number of descriptors when there is one connection, and no descriptor waits to be
 * closed: a stream closes it when two polls have passed without it. */
static unsigned settled_descriptors(iothub_client *c)
{
    unsigned quiet = 0;

    while (quiet < 5) {
        (void)iothub_wait(c, 1);
        quiet = iothub_get_state(c) == IOTHUB_CONNECTED ? quiet + 1 : 0;
    }
    return descriptors();
}

/* Renews the certificate of an earlier run as well, as soon as it has logged in. */
static void renew_saved(run *r)
{
    iothub_certificate_info info;

    iothub_certificate_get(r->certificate, &info);
    if (r->by_hand && !r->renews_saved && info.issued && info.renewals == 0) {
        r->renews_saved = true;
        iothub_certificate_renew(r->certificate);
    }
}

static void renew(run *r, iothub_client *c)
{
    const plat_clock *clock = plat_posix()->clock;
    const uint64_t until = clock->monotonic_ms(clock) + PATIENCE_MS;
    unsigned asked = 0;

    while (r->changed < r->wanted && clock->monotonic_ms(clock) < until) {
        publish(r, c);
        (void)iothub_wait(c, PACE_MS);
        renew_saved(r);
        if (r->changed >= LEVEL_AFTER && r->descriptors[0] == 0) {
            r->descriptors[0] = settled_descriptors(c);
        }
        if (r->by_hand && asked < r->changed && r->changed < r->wanted) {
            asked = r->changed;
            iothub_certificate_renew(r->certificate);
        }
    }
    while (r->ended < r->sent) {
        (void)iothub_wait(c, 1000);
    }
    r->descriptors[1] = settled_descriptors(c);
}

int main(int argc, char **argv)
{
    char detail[PLAT_KV_DETAIL_SIZE];
    iothub_certificate_info info;
    iothub_credentials_info used;
    iothub_options o;
    plat_kv *cache = NULL;
    run r = { 0 };

    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: certificates PORT RENEWALS HOW [CACHE-DIRECTORY]\n");
        return 2;
    }
    if (argc == 5 && plat_file_kv_open(argv[4], &cache, detail) != PLAT_OK) {
        fprintf(stderr, "%s\n", detail);
        return 1;
    }
    r.wanted = (unsigned)strtoul(argv[2], NULL, 10);
    r.by_hand = strstr(argv[3], ":life") == NULL;
    set_options(&o, &r, (uint16_t)strtoul(argv[1], NULL, 10));
    make_certificate(&o, &r, cache);
    iothub_client *c = make_client(&o, strncmp(argv[3], "dps", 3) == 0, cache);
    (void)iothub_start(c);
    renew(&r, c);
    iothub_certificate_get(r.certificate, &info);
    iothub_get_credentials(c, &used);
    iothub_free(c);
    iothub_certificate_deinit(r.certificate);
    plat_file_kv_close(cache);
    printf("{\"sent\":%u,\"ended\":%u,\"failed\":%u,\"surprises\":%u,\"renewals\":%u,"
           "\"failures\":%u,\"kind\":%d,\"saved\":%s,\"descriptors\":[%u,%u],\"allocations\":%u}\n",
           r.sent, r.ended, r.failed, r.surprises, info.renewals, r.failures, (int)used.kind,
           info.saved ? "true" : "false", r.descriptors[0], r.descriptors[1], allocations());
    return r.failed == 0 ? 0 : 1;
}
