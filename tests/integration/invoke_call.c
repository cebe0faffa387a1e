/* Calls a method through a gateway and prints its status and payload:
 * invoke_call GATEWAY PORT CA_FILE CALLER TOKEN DEVICE MODULE|- METHOD PAYLOAD */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iothub/invoke.h"

int main(int argc, char **argv)
{
    iothub_invoke call;
    iothub_invoke_answer answer;
    iothub_error error;
    plat_http *http;

    if (argc != 10 || plat_curl_http_new(&http) != PLAT_OK) {
        return 2;
    }
    iothub_invoke_init(&call);
    call.gateway = argv[1];
    call.port = (uint16_t)atoi(argv[2]);
    call.ca_file = argv[3];
    call.caller = argv[4];
    call.token = argv[5];
    call.device_id = argv[6];
    call.module_id = strcmp(argv[7], "-") != 0 ? argv[7] : NULL;
    call.method = argv[8];
    call.payload = mqc_span_str(argv[9]);
    if (iothub_invoke_start(http, &call, &error) != IOTHUB_OK) {
        puts(error.text);
        http->ops->free(http);
        return 1;
    }
    while (!iothub_invoke_progress(http, &answer)) {
        http->ops->wait(http, 1000);
    }
    printf("%d %d %.*s%s\n", answer.http_status, answer.status, (int)answer.payload.len,
           (const char *)answer.payload.ptr, answer.text);
    http->ops->free(http);
    return answer.result == IOTHUB_OK ? 0 : 1;
}
