#ifndef HUB_DIGITAL_TWIN_INTERNAL_H
#define HUB_DIGITAL_TWIN_INTERNAL_H

/* Shared by the files of the digital twin. */

#include "base/json.h"

/* An object with the marker "__t":"c"; NULL is none. */
bool hub_is_component(const cJSON *value);

#endif
