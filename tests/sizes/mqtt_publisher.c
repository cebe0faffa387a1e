/* The smallest program: it connects, publishes with QoS 1, and receives nothing. */

#include "mqtt.h"

int main(void)
{
    mqtt_connect();
    mqtt_publish(1);
    for (;;) {
        mqtt_turn();
    }
}
