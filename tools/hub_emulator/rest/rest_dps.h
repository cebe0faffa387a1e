#ifndef HUB_REST_DPS_H
#define HUB_REST_DPS_H

#include "rest/rest_route.h"

/**
 * Routes of the Device Provisioning Service, whose paths are compared without regard to case, as
 * the vendor's SDKs need it.
 */
extern const rest_route rest_dps_routes[];

/** True if the request is for the provisioning service, which writes its errors in its own way. */
bool rest_dps_is_for(const hub *h, const rest_request *r);
/** A refusal in that way. */
rest_outcome rest_dps_fault(const hub *h, rest_handling *out, const hub_fault *fault);

#endif
