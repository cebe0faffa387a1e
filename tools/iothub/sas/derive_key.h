#ifndef DERIVE_KEY_H
#define DERIVE_KEY_H

/**
 * @file
 * The command iothub derive-key, which computes keys of devices from the key of an enrolment group.
 */

int run_derive_key(int argc, char **argv, void *context);

#endif
