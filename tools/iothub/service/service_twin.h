#ifndef SERVICE_SERVICE_TWIN_H
#define SERVICE_SERVICE_TWIN_H

/** Runs `iothub service twin get` or `update`; context points to the service_options. */
int run_service_twin(int argc, char **argv, void *context);

#endif
