#include "telemetry/telemetry_ends.h"

void telemetry_ends_count(telemetry_ends *ends, iothub_result result)
{
    switch ((int)result) {
    case IOTHUB_OK: ends->acknowledged++; break;
    case IOTHUB_ERR_EXPIRED: ends->expired++; break;
    case IOTHUB_ERR_DROPPED: ends->dropped++; break;
    case IOTHUB_KEPT: ends->kept++; break;
    default: ends->cancelled++; break;
    }
}
