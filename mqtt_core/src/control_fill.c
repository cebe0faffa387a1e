#include "control_fill.h"

#include "control.h"
#include "keep_alive.h"
#include "pubrel_chain.h"
#include "state.h"

bool mqc_control_queue_id(mqc_engine *e, mqc_packet_type type, uint16_t packet_id)
{
    uint8_t *packet = mqc_control_reserve(&e->control, MQC_ACK_LEN);

    if (packet == NULL) {
        return false;
    }
    mqc_encode_id(packet, type, packet_id);
    return true;
}

static void queue_pubrels(mqc_engine *e)
{
    mqc_pubrel_chain *l = &e->pubrel_chain;

    while (l->due != NULL && mqc_control_queue_id(e, MQC_PUBREL, l->due->packet_id)) {
        mqc_pubrel_chain_encoded(l);
    }
}

static void queue_answers(mqc_engine *e)
{
    while (mqc_inbox_due(&e->inbox)) {
        uint8_t *packet = mqc_control_reserve(&e->control, MQC_ACK_LEN);
        if (packet == NULL) {
            return;
        }
        uint16_t id;
        mqc_packet_type type = mqc_inbox_answer(&e->inbox, &id);
        mqc_encode_id(packet, type, id);
    }
}

static bool queue_empty(mqc_engine *e, mqc_packet_type type)
{
    uint8_t *packet = mqc_control_reserve(&e->control, MQC_EMPTY_LEN);

    if (packet == NULL) {
        return false;
    }
    mqc_encode_empty(packet, type);
    return true;
}

void mqc_control_fill(mqc_engine *e)
{
    if (e->connection.state == MQC_CONNECTING || e->connection.closing) {
        return;
    }
    queue_pubrels(e);
    queue_answers(e);
    if (e->keep_alive.ping_wanted && queue_empty(e, MQC_PINGREQ)) {
        mqc_ping_encoded(e);
    }
    if (e->connection.state == MQC_DISCONNECTING && !mqc_answers_due(e)) {
        if (queue_empty(e, MQC_DISCONNECT)) {
            mqc_state_closing(e);
        }
    }
}
