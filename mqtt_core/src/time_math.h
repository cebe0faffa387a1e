#ifndef MQC_TIME_MATH_H
#define MQC_TIME_MATH_H

#include "mqtt_core/engine.h"

/* Stands for a deadline that does not exist. It is later than every other time. */
#define MQC_NEVER UINT64_MAX

static inline mqc_time mqc_earlier(mqc_time a, mqc_time b)
{
    return a < b ? a : b;
}

static inline mqc_time mqc_later(mqc_time a, mqc_time b)
{
    return a > b ? a : b;
}

#endif
