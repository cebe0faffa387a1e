#include "connect_subscribe.h"

#include <assert.h>

#include "control.h"
#include "engine_valid.h"
#include "ids.h"
#include "keep_alive.h"
#include "state.h"
#include "waits.h"

#include "mqtt_core/topic.h"

/* --- CONNECT and DISCONNECT ------------------------------------------------ */

static bool is_there(mqc_span s)
{
    return s.ptr != NULL || s.len == 0;
}

static bool will_valid(const mqc_will *w)
{
    return w->topic.ptr == NULL || (mqc_topic_name_valid(w->topic) && is_there(w->payload) &&
                                    w->payload.len <= MQC_STRING_MAX && w->qos <= 2);
}

static bool string_valid(mqc_span s)
{
    return is_there(s) && s.len <= MQC_STRING_MAX && mqc_utf8_valid(s);
}

/* Section 3.1.3. */
static bool connect_valid(const mqc_connect_options *o)
{
    return string_valid(o->client_id) && (o->client_id.len > 0 || o->clean_session) &&
           string_valid(o->username) && is_there(o->password) &&
           o->password.len <= MQC_STRING_MAX &&
           (o->password.ptr == NULL || o->username.ptr != NULL) && will_valid(&o->will);
}

static mqc_writer writer_for(mqc_control *c, size_t len)
{
    mqc_writer w = { mqc_control_reserve(c, len), len, 0 };
    return w;
}

mqc_result mqc_connect(mqc_engine *e, const mqc_connect_options *o, mqc_time now)
{
    mqc_writer w = { NULL, 0, 0 };

    if (e == NULL || o == NULL) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    if (e->connection.state != MQC_IDLE) {
        return e->connection.error != MQC_OK ? e->connection.error : MQC_ERR_STATE;
    }
    if (!connect_valid(o)) {
        return MQC_ERR_ARG;
    }
    mqc_encode_connect(&w, o);
    w = writer_for(&e->control, w.at);
    if (w.buf == NULL) { /* the engine is idle, so nothing is queued */
        return MQC_ERR_TOO_BIG;
    }
    mqc_encode_connect(&w, o);

    mqc_state_enter(e, MQC_CONNECTING);
    e->requests.clean_session = o->clean_session;
    mqc_waits_connect(e, o);
    mqc_keep_alive_connect(e, o, now);
    return MQC_OK;
}

mqc_result mqc_disconnect(mqc_engine *e)
{
    if (e == NULL) {
        return MQC_ERR_ARG;
    }
    assert(mqc_engine_valid(e));
    if (e->connection.state != MQC_CONNECTED) {
        return e->connection.error != MQC_OK ? e->connection.error : MQC_ERR_STATE;
    }
    mqc_state_enter(e, MQC_DISCONNECTING); /* mqc_control_fill encodes the packet */
    return MQC_OK;
}

/* --- SUBSCRIBE and UNSUBSCRIBE --------------------------------------------- */

static bool filters_valid(const mqc_filters *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (!is_there(mqc_filter_at(f, i)) || !mqc_topic_filter_valid(mqc_filter_at(f, i)) ||
            (f->subs != NULL && f->subs[i].qos > 2)) {
            return false;
        }
    }
    return f->count > 0 && f->count <= UINT16_MAX;
}

void mqc_requests_reset(mqc_engine *e)
{
    memset(&e->requests, 0, sizeof e->requests);
}

static mqc_pending *find_pending(mqc_engine *e, uint16_t packet_id)
{
    for (size_t i = 0; i < MQC_PENDING_MAX; i++) {
        if (e->requests.pending[i].packet_id == packet_id) {
            return &e->requests.pending[i];
        }
    }
    return NULL;
}

static mqc_result request(mqc_engine *e, const mqc_filters *f, uint16_t *packet_id)
{
    mqc_pending *p = find_pending(e, 0);
    mqc_writer w = { NULL, 0, 0 };

    assert(mqc_engine_valid(e));

    if (e->connection.state != MQC_CONNECTED) {
        return e->connection.error != MQC_OK ? e->connection.error : MQC_ERR_STATE;
    }
    if (!filters_valid(f)) {
        return MQC_ERR_ARG;
    }
    mqc_encode_filters(&w, f, 0);
    if (w.at > e->control.cap) {
        return MQC_ERR_TOO_BIG;
    }
    if (p == NULL || w.at > e->control.cap - mqc_control_pending(&e->control)) {
        return MQC_ERR_NO_SPACE;
    }
    uint16_t id = mqc_new_packet_id(e);
    if (id == 0) {
        return MQC_ERR_NO_SPACE;
    }
    w = writer_for(&e->control, w.at);
    mqc_encode_filters(&w, f, id);
    p->packet_id = id;
    p->count = (uint16_t)f->count;
    p->answer = f->subs != NULL ? MQC_SUBACK : MQC_UNSUBACK;
    if (packet_id != NULL) {
        *packet_id = id;
    }
    return MQC_OK;
}

mqc_result mqc_subscribe(mqc_engine *e, const mqc_subscription *s, size_t count,
                         uint16_t *packet_id)
{
    const mqc_filters f = { s, NULL, count };
    return e != NULL && s != NULL ? request(e, &f, packet_id) : MQC_ERR_ARG;
}

mqc_result mqc_unsubscribe(mqc_engine *e, const mqc_span *filters, size_t count,
                           uint16_t *packet_id)
{
    const mqc_filters f = { NULL, filters, count };
    return e != NULL && filters != NULL ? request(e, &f, packet_id) : MQC_ERR_ARG;
}

bool mqc_request_answered(mqc_engine *e, mqc_packet_type answer, uint16_t packet_id, size_t count)
{
    mqc_pending *p = find_pending(e, packet_id);

    if (p == NULL || p->answer != answer || (answer == MQC_SUBACK && p->count != count)) {
        return false;
    }
    bool oldest = p == e->requests.pending;
    /* Closes the gap, so that the oldest request stays first. */
    for (; p + 1 < e->requests.pending + MQC_PENDING_MAX; p++) {
        p[0] = p[1];
    }
    p->packet_id = 0;
    if (oldest) {
        mqc_waits_request_answered(e, e->requests.pending[0].packet_id != 0);
    }
    return true;
}
