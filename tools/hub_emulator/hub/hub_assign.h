#ifndef HUB_ASSIGN_H
#define HUB_ASSIGN_H

/**
 * @file
 * Assignments of the Device Provisioning Service: an admitted device gets an identity in this hub.
 */

#include "dps/dps_admit.h"
#include "hub/hub.h"

/**
 * Returns the device id that hub_assign would give to this device. It is valid until something
 * changes.
 */
const char *hub_assigned_id(const hub *h, const dps_admission *a, const char *registration_id);

/**
 * Creates or changes the identity of an admitted device, as its enrolment and its earlier
 * registration demand. by_authority means that the device receives certificates of the emulator's
 * issuer, and logs in with them instead of keys. Returns false, with the reason, if nothing can be
 * assigned now. The texts of *out belong to the enrolment, the registration or the hub.
 */
bool hub_assign(hub *h, const dps_admission *a, const char *registration_id, bool by_authority,
                dps_outcome *out, dps_error *e);

#endif
