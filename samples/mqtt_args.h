#ifndef MQTT_ARGS_H
#define MQTT_ARGS_H

#include <stdbool.h>

#include "mqtt_url.h"

typedef enum mqtt_command {
    MQTT_BOTH = 0, /* subscribes, publishes, and prints what arrives */
    MQTT_PUBLISH,
    MQTT_LISTEN,
    MQTT_UNSUBSCRIBE
} mqtt_command;

/** The command line of mqtt_client. Options that mosquitto_pub has, too, have the same names. */
typedef struct mqtt_args {
    mqtt_command command;
    const char *host, *topic, *message, *client_id, *user_name, *password, *ca_file;
    const char *will_topic, *will_payload; /* will_topic is NULL without a Will */
    unsigned port, count, timeout_s, will_qos;
    int qos; /* QoS of the only message; -1: two messages, one with QoS 0 and one with QoS 1 */
    bool retain, will_retain, keep_session;
    const char *path; /* path of the WebSocket; NULL: no WebSocket */
    bool tls, has_url;
    mqtt_url url; /* the texts that host and path point to */
} mqtt_args;

/**
 * Sets the defaults, then parses the command line. After wrong usage it prints one line that names
 * the fault and exits with status 2.
 */
void mqtt_args_parse(mqtt_args *a, int argc, char **argv);

#endif
