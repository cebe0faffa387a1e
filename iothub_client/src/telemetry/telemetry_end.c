#include "internal.h"

void telemetry_count_end(iothub_client *c, iothub_result result)
{
    switch ((int)result) {
    case IOTHUB_OK: c->stats.telemetry_acknowledged++; break;
    case IOTHUB_ERR_EXPIRED: c->stats.telemetry_expired++; break;
    case IOTHUB_ERR_DROPPED: c->stats.telemetry_dropped++; break;
    case IOTHUB_KEPT: c->stats.telemetry_kept++; break;
    default: c->stats.telemetry_cancelled++; break;
    }
}
