#ifndef MQTT_URL_H
#define MQTT_URL_H

#include <stdbool.h>
#include <stdint.h>

/** A broker, as a URL names it. */
typedef struct mqtt_url {
    char host[254];
    char path[256]; /* with the query; "" without WebSocket */
    uint16_t port;
    bool tls;
} mqtt_url;

/**
 * Parses mqtt://HOST[:PORT], mqtts://HOST[:PORT], ws://HOST[:PORT][/PATH] or wss://... with
 * default ports 1883, 8883, 80 and 443 and the path "/". An IPv6 address is in brackets.
 * @return NULL, or why the URL cannot be used; the text does not repeat a part of it
 */
const char *mqtt_url_parse(mqtt_url *out, const char *text);

#endif
