#ifndef MQTT_ARGS_H
#define MQTT_ARGS_H

/** Command line of mqtt_client: named as in mosquitto_pub where the option exists there. */
typedef struct mqtt_args {
    const char *host, *topic, *message, *client_id, *user_name, *password, *ca_file;
    unsigned port, count, timeout_s;
    int qos; /* of the one message; -1: one message each of QoS 0 and 1 */
} mqtt_args;

/** Defaults first.  Exits with 2 for wrong usage. */
void mqtt_args_parse(mqtt_args *a, int argc, char **argv);

#endif
