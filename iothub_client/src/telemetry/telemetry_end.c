#include "internal.h"

void telemetry_count_end(iothub_client *c, iothub_result result)
{
    switch ((int)result) {
    case IOTHUB_OK: c->telemetry_counts.acknowledged++; break;
    case IOTHUB_ERR_EXPIRED: c->telemetry_counts.expired++; break;
    case IOTHUB_ERR_DROPPED: c->telemetry_counts.dropped++; break;
    case IOTHUB_KEPT: c->telemetry_counts.kept++; break;
    default: c->telemetry_counts.cancelled++; break;
    }
}
