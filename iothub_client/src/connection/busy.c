#include "connection/busy.h"

static mqc_lane_info lane(const iothub_context *context, uint8_t number)
{
    return mqc_lane(context->engine, number);
}

bool busy_with_requests(const iothub_context *context, const session_busy *busy)
{
    const size_t own = busy->own_request ? 1 : 0;
    /* Messages in a store do not count, because they are kept for the next start. */
    bool telemetry_counts =
        context->options.store == NULL || mqc_get_state(context->engine) == MQC_CONNECTED;

    return (telemetry_counts && lane(context, IOTHUB_LANE_TELEMETRY).count > 0) ||
           lane(context, IOTHUB_LANE_METHOD).count > 0 ||
           lane(context, IOTHUB_LANE_TWIN).count > own;
}

bool busy_with_connection(const iothub_context *context, const session_busy *busy)
{
    return busy->methods_open || busy->deferred || lane(context, IOTHUB_LANE_TWIN).in_flight > 0;
}

bool busy_with_last_messages(const iothub_context *context, const session_busy *busy, bool methods)
{
    return lane(context, IOTHUB_LANE_TELEMETRY).in_flight > 0 ||
           lane(context, IOTHUB_LANE_METHOD).count > 0 || (methods && busy->methods_open);
}
