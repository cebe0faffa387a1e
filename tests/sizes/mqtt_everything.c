/* A program that uses every function of mqtt_core. */

#include "mqtt.h"
#include "mqtt_core/topic.h"

int main(void)
{
    mqc_engine *e = mqtt_engine();
    const mqc_subscription all = { .filter = mqc_span_str("#"), .qos = 2 };
    mqc_time when = 0;

    mqtt_connect();
    (void)mqc_subscribe(e, &all, 1, NULL);
    (void)mqc_unsubscribe(e, &all.filter, 1, NULL);
    mqtt_publish(2);
    while (mqc_get_state(e) == MQC_CONNECTED) {
        mqtt_turn();
        (void)mqc_ack(e, 1);
        (void)mqc_next_deadline(e, &when);
        (void)mqc_rx_least(e, &when);
        if (mqc_wants_flow(e, when)) {
            mqc_report_flow(e, &(mqc_flow){ 0 }, when);
        }
    }
    (void)mqc_disconnect(e);
    mqc_reset(e);
    return mqc_error_packet(e) != NULL && mqc_result_str(mqc_error(e)) != NULL;
}
