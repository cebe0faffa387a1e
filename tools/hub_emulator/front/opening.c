#include "front/opening.h"

#include "front/front_login.h"

#define NOT_AUTHORIZED 5

void hub_opening_init(hub_opening *o, const hub_opening_setup *setup, hub_device_line *line)
{
    *o = (hub_opening){ .setup = *setup, .line = line };
}

void hub_opening_free(hub_opening *o)
{
    hub_text_free(&o->start);
    hub_text_free(&o->first);
}

static hub_opening_result end(hub_opening *o, hub_opening_result r, const char *what,
                              const char *detail)
{
    o->stage = HUB_OPENING_OVER;
    o->what = what;
    o->detail = detail;
    return r;
}

/* --- TLS --------------------------------------------------------------- */

/* Looks at the first byte of the client. */
static hub_opening_result greet(hub_opening *o)
{
    const hub_tls_state r = hub_tls_line_greet(&o->line->tls);
    uint8_t alert;

    if (r == HUB_TLS_AGAIN) {
        return HUB_OPENING_AGAIN;
    }
    if (r != HUB_TLS_DONE) {
        return end(o, HUB_OPENING_GONE, "closed: the client does not speak TLS", NULL);
    }
    if (hub_front_faults_refuse_tls(o->setup.faults, &alert)) {
        hub_tls_line_alert(&o->line->tls, alert);
        return end(o, HUB_OPENING_CUT, "closed: alert of TLS on request", NULL);
    }
    o->stage = HUB_OPENING_HANDSHAKE;
    return HUB_OPENING_AGAIN;
}

static hub_opening_result shake_hands(hub_opening *o)
{
    hub_text chain = { 0 };
    const char *why = NULL;

    hub_tls_state r = hub_tls_line_handshake(&o->line->tls, &why);
    if (r == HUB_TLS_AGAIN) {
        return HUB_OPENING_AGAIN;
    }
    if (r != HUB_TLS_DONE) {
        return end(o, HUB_OPENING_REFUSED, "closed: TLS", why);
    }
    bool fits = hub_device_line_chain(o->line, &chain);
    hub_text_free(&chain);
    if (!fits) {
        return end(o, HUB_OPENING_REFUSED, "closed: the chain of client certificates is too long",
                   NULL);
    }
    o->stage = o->setup.service == HUB_FRONT_HTTPS ? HUB_OPENING_REQUEST : HUB_OPENING_LOGIN;
    return HUB_OPENING_AGAIN;
}

/* --- the first HTTP request -------------------------------------------- */

static hub_opening_result refuse_upgrade(hub_opening *o, unsigned status, const char *why)
{
    hub_device_line_refuse(o->line, status, why);
    return end(o, HUB_OPENING_REFUSED, "WebSocket refused", why);
}

static hub_opening_result upgrade(hub_opening *o, const hub_upgrade_request *r)
{
    hub_device_line_upgrade(o->line, r, o->start.p + r->head_len, o->start.len - r->head_len);
    hub_text_free(&o->start);
    o->stage = HUB_OPENING_LOGIN;
    return HUB_OPENING_AGAIN;
}

/* A valid upgrade may still be refused or delayed on request. */
static hub_opening_result consider_upgrade(hub_opening *o, const hub_upgrade_request *r)
{
    unsigned status;

    if (hub_front_faults_refuse_upgrade(o->setup.faults, &status)) {
        return refuse_upgrade(o, status, "on request");
    }
    o->delay_ms = hub_front_faults_delay_upgrade(o->setup.faults);
    if (o->delay_ms == 0) {
        return upgrade(o, r);
    }
    o->stage = HUB_OPENING_STALLED;
    return HUB_OPENING_LATER;
}

/* The HTTP server reads the request again. */
static hub_opening_result pass_to_http(hub_opening *o)
{
    hub_text_add(&o->first, o->start.p, o->start.len);
    o->more_at = o->start.len;
    return end(o, HUB_OPENING_HTTP, NULL, NULL);
}

static hub_opening_result take_request(hub_opening *o)
{
    hub_upgrade_request r;

    switch (hub_upgrade_read(&r, o->start.p, o->start.len)) {
    case HUB_UPGRADE_PART: return HUB_OPENING_AGAIN;
    case HUB_UPGRADE_MQTT: return consider_upgrade(o, &r);
    case HUB_UPGRADE_AMQP:
    case HUB_UPGRADE_OTHER: return pass_to_http(o);
    case HUB_UPGRADE_WRONG: break;
    }
    return refuse_upgrade(o, r.status, r.why);
}

/* --- the CONNECT ------------------------------------------------------- */

/* Answers the client instead of the broker. */
static hub_opening_result refuse_login(hub_opening *o, const char *why)
{
    static const uint8_t connack[] = { 0x20, 2, 0, NOT_AUTHORIZED };

    hub_device_line_write(o->line, connack, sizeof connack);
    return end(o, HUB_OPENING_REFUSED, "refused", why);
}

static hub_opening_result pass_on(hub_opening *o, const hub_connect_packet *packet)
{
    hub_text chain = { 0 };

    hub_text_str(&chain, "");
    (void)hub_device_line_chain(o->line, &chain);
    const hub_front_login login = {
        .number = o->setup.number,
        .secret = o->setup.secret,
        .peer = o->setup.peer,
        .chain = chain.p,
        .chain_len = chain.len,
    };
    bool ok = hub_front_login_forward(&login, packet, (const uint8_t *)o->start.p, &o->first);
    hub_text_free(&chain);
    if (!ok) {
        return refuse_login(o, "the password is too long");
    }
    o->more_at = packet->packet_len;
    return end(o, HUB_OPENING_MQTT, NULL, NULL);
}

static hub_opening_result take_login(hub_opening *o)
{
    hub_connect_packet packet;

    switch (hub_connect_read(&packet, (const uint8_t *)o->start.p, o->start.len)) {
    case HUB_CONNECT_PART: return HUB_OPENING_AGAIN;
    case HUB_CONNECT_WHOLE:
    case HUB_CONNECT_OTHER: return pass_on(o, &packet);
    case HUB_CONNECT_BROKEN: break;
    }
    return end(o, HUB_OPENING_REFUSED, "closed: the first packet is not a CONNECT of MQTT", NULL);
}

/* --- turns ------------------------------------------------------------- */

/* The answer to a close frame of WebSocket must still be sent. */
static hub_opening_result client_ended(hub_opening *o)
{
    return end(o, o->line->websocket != NULL ? HUB_OPENING_REFUSED : HUB_OPENING_GONE, NULL, NULL);
}

/* Reads bytes while the stage stays as it is. */
static hub_opening_result read_stage(hub_opening *o, hub_opening_result (*take)(hub_opening *))
{
    const hub_opening_stage stage = o->stage;
    hub_opening_result result = HUB_OPENING_AGAIN;
    hub_tls_state r = HUB_TLS_DONE;
    const char *why = NULL;
    size_t len;

    while (r == HUB_TLS_DONE && o->stage == stage) {
        r = hub_device_line_read(o->line, o->setup.buffer, o->setup.cap, &len, &why);
        if (r == HUB_TLS_DONE) {
            hub_text_add(&o->start, o->setup.buffer, len);
            result = take(o);
        }
    }
    return r == HUB_TLS_ENDED || r == HUB_TLS_FAILED ? client_ended(o) : result;
}

static hub_opening_result take_stage(hub_opening *o)
{
    switch (o->stage) {
    case HUB_OPENING_GREETING: return greet(o);
    case HUB_OPENING_HANDSHAKE: return shake_hands(o);
    case HUB_OPENING_REQUEST: return read_stage(o, take_request);
    case HUB_OPENING_LOGIN: return read_stage(o, take_login);
    case HUB_OPENING_STALLED:
    case HUB_OPENING_OVER: break;
    }
    return HUB_OPENING_AGAIN;
}

hub_opening_result hub_opening_turn(hub_opening *o)
{
    hub_opening_result r;
    hub_opening_stage before;

    do {
        before = o->stage;
        r = take_stage(o);
    } while (r == HUB_OPENING_AGAIN && o->stage != before);
    return r;
}

/* Reads the request again, which is still in `start`. */
hub_opening_result hub_opening_resume(hub_opening *o)
{
    hub_upgrade_request r;

    (void)hub_upgrade_read(&r, o->start.p, o->start.len);
    (void)upgrade(o, &r);
    return hub_opening_turn(o);
}
