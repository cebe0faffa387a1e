#ifndef DERIVE_KEY_H
#define DERIVE_KEY_H

/** @file iothub derive-key: keys of devices from the key of an enrolment group. */

int run_derive_key(int argc, char **argv, void *context);

#endif
