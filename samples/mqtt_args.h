#ifndef MQTT_ARGS_H
#define MQTT_ARGS_H

#include <stdbool.h>

typedef enum mqtt_command {
    MQTT_BOTH = 0, /* subscribe, publish, print what comes back */
    MQTT_PUBLISH,
    MQTT_LISTEN,
    MQTT_UNSUBSCRIBE
} mqtt_command;

/** Command line of mqtt_client: named as in mosquitto_pub where the option exists there. */
typedef struct mqtt_args {
    mqtt_command command;
    const char *host, *topic, *message, *client_id, *user_name, *password, *ca_file;
    const char *will_topic, *will_payload; /* will_topic NULL: no Will */
    unsigned port, count, timeout_s, will_qos;
    int qos; /* of the one message; -1: one message each of QoS 0 and 1 */
    bool retain, will_retain, keep_session;
} mqtt_args;

/** Defaults first.  Exits with 2 for wrong usage, and one line that names what is wrong. */
void mqtt_args_parse(mqtt_args *a, int argc, char **argv);

#endif
