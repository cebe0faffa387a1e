#ifndef SERVICE_SERVICE_C2D_H
#define SERVICE_SERVICE_C2D_H

/** Runs `iothub service c2d`; context points to the service_options. */
int run_service_c2d(int argc, char **argv, void *context);

#endif
