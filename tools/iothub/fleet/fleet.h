#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

/** `iothub fleet`: many simulated devices on one thread. */
int run_fleet(int argc, char **argv, void *context);

#endif
