#include "iothub/certificate.h"

#include <assert.h>
#include <string.h>

#include "certificate/certificate_options.h"
#include "certificate/issuance.h"
#include "certificate/issued_pair.h"
#include "certificate/key_request.h"
#include "certificate/slots.h"
#include "connection/certificate_hook.h"
#include "connection/credential_type.h"
#include "connection/wall_clock.h"
#include "context/callbacks.h"
#include "text/sized_struct.h"
#include "text/wipe.h"

enum {
    LOOK_MS = 60000,  /* longest time between two looks at the wall clock */
    SPREAD = 20,      /* the moment of a renewal is random within this part of the life */
    HUB_CLOCK_S = 60, /* how much the clock of the hub may be ahead */
    TOPIC_MAX = 96,   /* "$iothub/credentials/POST/issueCertificate/?$rid=" and an id */
    BODY_MAX = PLAT_CSR_BASE64_MAX + IOTHUB_ID_MAX + ISSUE_ID_MAX + 48
};

struct iothub_certificate {
    certificate_base base;
    iothub_certificate_options options;
    iothub_context *context; /* NULL: it serves no client */
    key_request request;
    certificate_slots slots;
    issuance issuance;
    int64_t renew_at_s; /* when the certificate in use is renewed; 0: there is none */
    uint32_t renewals;
    iothub_error saved_fault; /* why the saved certificate cannot be used */
    bool saved;
    bool untold;   /* a success or failure was not reported to the application yet */
    bool has_next; /* pair is that of the certificate in the next slot, and not saved yet */
    bool offered;  /* the certificate in the next slot was passed to the client */
    issued_pair pair;
};

_Static_assert(sizeof(struct iothub_certificate) <= IOTHUB_CERTIFICATE_SIZE,
               "IOTHUB_CERTIFICATE_SIZE is too small");

static const plat_crypto *crypto_of(const iothub_certificate *c)
{
    return c->options.platform->crypto;
}

static const iothub_options *client_options(const iothub_certificate *c)
{
    return &c->context->options;
}

static void log_line(const iothub_certificate *c, iothub_log_level level, const char *text)
{
    callback_log_text(c->context, level, "certificate", text);
}

/* Counts a failure that only another key, or a person, can mend. */
static void fail(iothub_certificate *c, iothub_result code, const char *text, mqc_time now)
{
    iothub_error why;

    (void)iothub_fail(&why, code, "%s", text);
    log_line(c, IOTHUB_LOG_WARNING, why.text);
    issuance_failed(&c->issuance, client_options(c), &why, now);
    c->untold = true;
    context_poke(c->context);
}

/* --- the life of a certificate ------------------------------------------------------- */

/* Returns the last second in which the whole chain is valid. */
static int64_t ends_at(const plat_identity_info *info)
{
    return info->chain_until_s < info->not_after_s ? info->chain_until_s : info->not_after_s;
}

static int64_t random_below(const iothub_certificate *c, int64_t limit)
{
    uint32_t random = 0;

    (void)crypto_of(c)->random(crypto_of(c), &random, sizeof random);
    return limit > 0 ? random % limit : 0;
}

/* Chooses when the certificate in use is renewed. */
static void plan(iothub_certificate *c)
{
    plat_identity_info info;

    c->options.platform->identities->describe(slots_used(&c->slots)->identity, &info);
    const int64_t life_s = ends_at(&info) - info.not_before_s;
    const int64_t spread_s = life_s / SPREAD;
    c->renew_at_s = info.not_before_s + life_s / 100 * c->options.renew_percent +
                    life_s % 100 * c->options.renew_percent / 100 - spread_s / 2 +
                    random_below(c, spread_s);
}

static int64_t wall_s(const iothub_certificate *c)
{
    const int64_t s = wall_clock_s(c->options.platform->clock);

    return wall_clock_is_set(s) ? s : 0;
}

/* Returns in how many ms the certificate in use is to be renewed; 0: now. */
static mqc_time renewal_in_ms(const iothub_certificate *c)
{
    const int64_t now_s = wall_s(c);

    if (now_s == 0) {
        return LOOK_MS;
    }
    const int64_t left_s = c->renew_at_s - now_s;
    if (left_s <= 0) {
        return 0;
    }
    return left_s < LOOK_MS / 1000 ? (mqc_time)left_s * 1000 : LOOK_MS;
}

/* Returns whether a certificate ends within margin_s seconds. */
static bool ends_within(const iothub_certificate *c, const plat_identity_info *info,
                        int64_t margin_s)
{
    return ends_at(info) - margin_s < wall_s(c);
}

static bool has_expired(const iothub_certificate *c, const plat_identity *identity)
{
    plat_identity_info info;

    c->options.platform->identities->describe(identity, &info);
    return ends_within(c, &info, 0);
}

/* Returns whether the hub may refuse the certificate soon, or now by its own clock. */
static bool is_nearly_expired(const iothub_certificate *c, const plat_identity *identity)
{
    plat_identity_info info;

    c->options.platform->identities->describe(identity, &info);
    const int64_t life_s = ends_at(&info) - info.not_before_s;
    const int64_t margin_s = life_s / SPREAD > HUB_CLOCK_S ? life_s / SPREAD : HUB_CLOCK_S;
    return ends_within(c, &info, margin_s < life_s / 2 ? margin_s : life_s / 2);
}

/* --- requests --------------------------------------------------------------------------- */

static bool make_request(iothub_certificate *c, mqc_span name)
{
    plat_identity_fault fault;

    if (key_request_make(&c->request, name, &fault)) {
        return true;
    }
    fail(c, IOTHUB_ERR_CRYPTO, fault.text, context_now(c->context));
    return false;
}

/* None of these texts contains a character that JSON escapes: device ids and base64 do not, and
 * issue_answer.c has checked the id of a request that is replaced. */
static void put_body(const iothub_certificate *c, iothub_text *t)
{
    iothub_text_put(t, "{\"id\":\"");
    iothub_text_put_span(t, c->context->identity.device_id);
    iothub_text_put(t, "\",\"csr\":\"");
    iothub_text_put(t, c->request.csr);
    if (c->issuance.replace[0] != '\0') {
        iothub_text_put(t, "\",\"replace\":\"");
        iothub_text_put(t, c->issuance.replace);
    }
    iothub_text_put(t, "\"}");
}

static void send(iothub_certificate *c, mqc_time now)
{
    char topic[TOPIC_MAX];
    char body[BODY_MAX];
    iothub_text topic_text;
    iothub_text body_text;

    iothub_text_init(&topic_text, topic, sizeof topic);
    topic_put_certificate_request(&topic_text, mqc_span_str(c->issuance.id));
    iothub_text_init(&body_text, body, sizeof body);
    put_body(c, &body_text);
    const mqc_outgoing m = {
        .topic = iothub_text_span(&topic_text),
        .payload = iothub_text_span(&body_text),
        .lane = IOTHUB_LANE_METHOD,
        .kind = IOTHUB_OP_OF_CLIENT,
    };
    /* If the lane is full now, the request is sent again after request_timeout_ms. */
    if (context_publish(c->context, &m) != MQC_OK) {
        log_line(c, IOTHUB_LOG_WARNING, "no room for a certificate request; it is sent later");
    }
    context_poke(c->context);
    issuance_sent(&c->issuance, client_options(c), c->context->generation, now);
}

static void begin(iothub_certificate *c, mqc_time now)
{
    uint8_t random[ISSUANCE_ID_LEN / 2];

    if (crypto_of(c)->random(crypto_of(c), random, sizeof random) != PLAT_OK) {
        fail(c, IOTHUB_ERR_CRYPTO, "no random numbers for a certificate request", now);
        return;
    }
    if (!make_request(c, c->context->identity.device_id)) {
        return;
    }
    issuance_begin(&c->issuance, random);
    send(c, now);
    log_line(c, IOTHUB_LOG_INFO, "requested a certificate");
}

/* --- certificates that were issued ---------------------------------------------------------- */

/* Makes the identity of the pair, which is to replace the one in use. */
static bool offer_pair(iothub_certificate *c, plat_identity_fault *fault)
{
    plat_identity *identity;

    if (issued_pair_identity(&c->pair, c->options.platform->identities, &c->request.signer.base,
                             &identity, fault) != PLAT_OK) {
        issued_pair_erase(&c->pair);
        return false;
    }
    slots_offer(&c->slots, identity);
    c->offered = false;
    return true;
}

/* Takes the chain that is in the pair. */
static void take_pair(iothub_certificate *c, mqc_time now)
{
    plat_identity_fault fault;

    if (!offer_pair(c, &fault)) {
        fail(c, IOTHUB_ERR_CREDENTIAL, fault.text, now);
        return;
    }
    c->has_next = true;
    key_request_erase(&c->request);
    issuance_issued(&c->issuance);
    log_line(c, IOTHUB_LOG_INFO, "received a certificate");
    context_poke(c->context);
}

static void save(iothub_certificate *c)
{
    plat_kv *kv = c->options.cache;

    c->saved = kv != NULL && issued_pair_save(&c->pair, kv, c->options.cache_key) == PLAT_OK;
    if (kv != NULL && !c->saved) {
        callback_log(c->context, IOTHUB_LOG_WARNING, "certificate", "it cannot be saved: %s",
                     kv->ops->detail(kv));
    }
}

static void on_logged_in(iothub_certificate *c)
{
    slots_adopt(&c->slots);
    plan(c);
    if (c->has_next) { /* otherwise the cache contains it already */
        save(c);
        c->has_next = false;
        c->renewals++;
        c->untold = true;
    }
    issued_pair_erase(&c->pair);
    c->saved_fault = (iothub_error){ .code = IOTHUB_OK };
    issuance_succeeded(&c->issuance);
}

static void on_refused(iothub_certificate *c, mqc_time now)
{
    const bool saved = !c->has_next;

    slots_drop_next(&c->slots);
    issued_pair_erase(&c->pair);
    c->has_next = false;
    if (saved) {
        c->saved = false;
        log_line(c, IOTHUB_LOG_WARNING, "the saved certificate cannot log in; requesting another");
        issuance_want(&c->issuance, now);
        return;
    }
    fail(c, IOTHUB_ERR_AUTH,
         "the issued certificate cannot log in; the earlier credentials stay in use", now);
}

/* --- a turn ----------------------------------------------------------------------------------- */

/* Looks at what has become of the certificate that is to replace the one in use. Returns whether it
 * must be passed to the client. */
static bool look_at_next(iothub_certificate *c, const iothub_credentials_info *info, mqc_time now)
{
    const certificate_slot *next = slots_next(&c->slots);

    if (next->identity == NULL) {
        return false;
    }
    if (!c->offered && has_expired(c, next->identity)) {
        on_refused(c, now);
        return false;
    }
    if (!c->offered) {
        return true;
    }
    if (info->credentials == next->list) {
        on_logged_in(c);
    } else if (info->replacement != next->list) {
        on_refused(c, now);
    }
    return false;
}

/* Returns whether the client had to go on from the issued certificate to another credential. */
static bool is_passed_over(const iothub_certificate *c, const iothub_credentials_info *info)
{
    return info->credentials == slots_used(&c->slots)->list && info->index > 0;
}

/* Decides whether a new certificate is wanted. */
static void look_at_used(iothub_certificate *c, const certificate_view *v, mqc_time now)
{
    if (c->issuance.state != IOTHUB_CERTIFICATE_VALID || slots_next(&c->slots)->identity != NULL) {
        return;
    }
    if (slots_used(&c->slots)->identity == NULL || renewal_in_ms(c) == 0 ||
        (v->listens && is_passed_over(c, &v->credentials))) {
        issuance_want(&c->issuance, now);
    }
}

static void request(iothub_certificate *c, bool listens, mqc_time now)
{
    switch (issuance_turn(&c->issuance, listens, c->context->generation, now)) {
    case ISSUANCE_WAITS: break;
    case ISSUANCE_BEGINS: begin(c, now); break;
    case ISSUANCE_REPEATS: send(c, now); break;
    }
}

static mqc_time next_turn(const iothub_certificate *c, bool listens, mqc_time now)
{
    const mqc_time due = issuance_deadline(&c->issuance, listens);

    return c->issuance.state == IOTHUB_CERTIFICATE_VALID && slots_used(&c->slots)->identity != NULL
               ? deadline_earlier(due, now + renewal_in_ms(c))
               : due;
}

static void describe(const iothub_certificate *c, iothub_certificate_info *out)
{
    const plat_identity *identity = slots_used(&c->slots)->identity;
    plat_identity_info info;

    *out = (iothub_certificate_info){
        .state = c->issuance.state,
        .issued = identity != NULL,
        .saved = c->saved,
        .renewals = c->renewals,
        .failures = c->issuance.failures,
        .status = c->issuance.status,
        .fault = c->issuance.fault.code != IOTHUB_OK ? c->issuance.fault : c->saved_fault,
    };
    if (identity != NULL) {
        c->options.platform->identities->describe(identity, &info);
        out->not_before_s = info.not_before_s;
        out->not_after_s = ends_at(&info);
        out->renew_at_s = c->renew_at_s;
    }
}

static void tell(iothub_certificate *c)
{
    iothub_certificate_info info;

    if (!c->untold) {
        return;
    }
    c->untold = false;
    if (c->options.changed != NULL) {
        describe(c, &info);
        callback_certificate(c->context, c->options.changed, &info);
    }
}

static bool turn(iothub_certificate *c, const certificate_view *v, mqc_time now,
                 certificate_trial *trial)
{
    const bool offers = look_at_next(c, &v->credentials, now);

    look_at_used(c, v, now);
    request(c, v->listens, now);
    c->base.wake_at = next_turn(c, v->listens, now);
    tell(c);
    if (offers) {
        *trial = (certificate_trial){ slots_next(&c->slots)->list, c->slots.others + 1 };
    }
    return offers;
}

static void on_tried(iothub_certificate *c)
{
    c->offered = true;
}

static void on_answer(iothub_certificate *c, const topic_parts *p, mqc_span payload,
                      const iothub_error *fault)
{
    const mqc_time now = context_now(c->context);
    issue_answer answer;
    iothub_error why;

    if (!issuance_is_mine(&c->issuance, p->rid)) {
        context_count_ignored(c->context);
        return;
    }
    if (fault != NULL) {
        fail(c, fault->code, fault->text, now);
        return;
    }
    issue_answer_parse(&answer, p->status, payload);
    const uint32_t failures = c->issuance.failures;
    if (issuance_on_answer(&c->issuance, client_options(c), p->status, &answer, wall_s(c), now)) {
        issued_pair_begin(&c->pair, key_request_key(&c->request));
        if (issued_pair_read_chain(&c->pair, answer.certificates, crypto_of(c), &why) !=
            IOTHUB_OK) {
            issued_pair_erase(&c->pair);
            fail(c, why.code, why.text, now);
        } else {
            take_pair(c, now);
        }
    } else if (c->issuance.failures > failures) {
        log_line(c, IOTHUB_LOG_WARNING, answer.why.text);
        c->untold = true;
    }
    context_poke(c->context);
}

/* --- for a client that the Device Provisioning Service assigns to a hub ----------------------- */

static bool needs_registration(const iothub_certificate *c)
{
    const plat_identity *next = slots_next(&c->slots)->identity;
    const plat_identity *identity = next != NULL ? next : slots_used(&c->slots)->identity;

    return identity == NULL || is_nearly_expired(c, identity);
}

static mqc_span make_registration_request(iothub_certificate *c, mqc_span common_name)
{
    issuance_drop(&c->issuance, context_now(c->context));
    return make_request(c, common_name) ? mqc_span_str(c->request.csr) : mqc_span_of(NULL, 0);
}

static bool take_chain(iothub_certificate *c, mqc_span der)
{
    const mqc_time now = context_now(c->context);

    issued_pair_begin(&c->pair, key_request_key(&c->request));
    if (!issued_pair_take_chain(&c->pair, der)) {
        issued_pair_erase(&c->pair);
        fail(c, IOTHUB_ERR_TOO_BIG, "the issued chain is too large", now);
        return false;
    }
    take_pair(c, now);
    return slots_next(&c->slots)->identity != NULL;
}

/* --- from the beginning to the end ------------------------------------------------------------ */

static iothub_result attach(iothub_certificate *c, iothub_context *context, iothub_error *error)
{
    const iothub_options *o = &context->options;
    const bool has_key = context->identity.key.len > 0;
    const iothub_credential *own = has_key ? &credential_own_key : &credential_own_token;

    iothub_result r = certificate_options_check_client(o, error);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (c->context != NULL) {
        return iothub_fail(error, IOTHUB_ERR_ARG,
                           "options: certificate is in use by another client; each needs its own");
    }
    if (context->identity.module_id.len > 0) {
        return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                           "options: certificate is for devices; a hub issues none to a module");
    }
    if (o->credentials != NULL) {
        slots_set_others(&c->slots, o->credentials, o->credential_count);
    } else {
        slots_set_others(&c->slots, own, 1);
    }
    if (slots_used(&c->slots)->identity != NULL) { /* an earlier client has logged in with it */
        slots_withdraw(&c->slots);
        issued_pair_erase(&c->pair);
        c->has_next = false;
    }
    issuance_init(&c->issuance);
    c->offered = false;
    c->context = context;
    c->base.wake_at = 0;
    return IOTHUB_OK;
}

static void detach(iothub_certificate *c)
{
    c->context = NULL;
}

static const certificate_ops ops = {
    .attach = attach,
    .detach = detach,
    .turn = turn,
    .on_tried = on_tried,
    .on_answer = on_answer,
    .needs_registration = needs_registration,
    .make_request = make_registration_request,
    .take_chain = take_chain,
};

/* Takes the certificate of an earlier run. What cannot be used is replaced by the next renewal. */
static void take_saved(iothub_certificate *c)
{
    plat_kv *kv = c->options.cache;
    plat_identity_fault fault;
    iothub_error *why = &c->saved_fault;

    if (kv == NULL) {
        return;
    }
    plat_result r = issued_pair_load(&c->pair, kv, c->options.cache_key);
    if (r == PLAT_OK) {
        c->saved = offer_pair(c, &fault);
        if (!c->saved) {
            (void)iothub_fail(why, IOTHUB_ERR_CREDENTIAL, "the saved certificate: %s", fault.text);
        }
    } else if (r != PLAT_EOF) {
        (void)iothub_fail(why, IOTHUB_ERR_STORE, "the saved certificate cannot be read: %s",
                          kv->ops->detail(kv));
    }
    issued_pair_erase(&c->pair);
}

iothub_certificate *iothub_certificate_init(void *memory, size_t memory_len,
                                            const iothub_certificate_options *o,
                                            iothub_error *error)
{
    iothub_certificate *c = memory;
    iothub_certificate_options checked;

    if (c == NULL || memory_len < IOTHUB_CERTIFICATE_SIZE) {
        (void)iothub_fail(error, c == NULL ? IOTHUB_ERR_ARG : IOTHUB_ERR_MEMORY,
                          "certificate: the memory needs %zu bytes",
                          (size_t)IOTHUB_CERTIFICATE_SIZE);
        return NULL;
    }
    if (certificate_options_take(&checked, o, error) != IOTHUB_OK) {
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->base.ops = &ops;
    c->options = checked;
    key_request_init(&c->request, &c->options);
    slots_init(&c->slots, checked.platform->identities);
    issuance_init(&c->issuance);
    take_saved(c);
    return c;
}

void iothub_certificate_deinit(iothub_certificate *certificate)
{
    if (certificate == NULL) {
        return;
    }
    slots_deinit(&certificate->slots);
    iothub_wipe(certificate, sizeof *certificate);
}

void iothub_certificate_renew(iothub_certificate *certificate)
{
    iothub_context *context = certificate->context;

    if (context == NULL) {
        return;
    }
    context_enter(context);
    if (slots_next(&certificate->slots)->identity == NULL) {
        issuance_want(&certificate->issuance, context_now(context));
    }
    context_poke(context);
    context_leave(context);
}

void iothub_certificate_get_sized(const iothub_certificate *certificate,
                                  iothub_certificate_info *out, size_t struct_size)
{
    const iothub_context *context = certificate->context;
    iothub_certificate_info info;

    if (out == NULL) {
        return;
    }
    if (context != NULL) {
        context_enter(context);
    }
    describe(certificate, &info);
    if (context != NULL) {
        context_leave(context);
    }
    iothub_struct_out(out, struct_size, &info, sizeof info);
}
