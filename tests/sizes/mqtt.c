#include "mqtt.h"

#include "network.h"

static mqc_engine engine;

mqc_engine *mqtt_engine(void)
{
    return &engine;
}

void mqtt_connect(void)
{
    static uint8_t rx[256];
    static uint8_t ring[1024];
    static uint8_t control[256];
    static mqc_entry entries[4];
    static mqc_inbound inbound[4];
    const mqc_memory memory = {
        .rx = rx,
        .rx_len = sizeof rx,
        .control = control,
        .control_len = sizeof control,
        .inbound = inbound,
        .inbound_len = 4,
        .lanes = { { .ring = ring,
                     .ring_len = sizeof ring,
                     .entries = entries,
                     .entries_len = 4,
                     .window = 4 } },
        .lane_count = 1,
    };
    const mqc_connect_options options = {
        .client_id = mqc_span_str("device"),
        .keep_alive_s = 60,
        .clean_session = true,
        .ack_timeout_ms = 10000,
    };

    (void)mqc_init(&engine, &memory);
    (void)mqc_connect(&engine, &options, network_time());
}

void mqtt_publish(unsigned qos)
{
    const mqc_outgoing hello = {
        .topic = mqc_span_str("topic"),
        .payload = mqc_span_str("hello"),
        .qos = (uint8_t)qos,
    };

    (void)mqc_publish(&engine, &hello, NULL);
}

void mqtt_turn(void)
{
    size_t len;
    mqc_event event;
    uint8_t *at = mqc_rx_space(&engine, &len);

    (void)mqc_rx_commit(&engine, network_receive(at, len), network_time());
    while (mqc_next_event(&engine, &event)) {
    }
    const uint8_t *data = mqc_tx_data(&engine, &len);
    mqc_tx_consume(&engine, network_send(data, len), network_time());
    (void)mqc_tick(&engine, network_time());
}
