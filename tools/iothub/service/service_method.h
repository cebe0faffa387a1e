#ifndef SERVICE_SERVICE_METHOD_H
#define SERVICE_SERVICE_METHOD_H

/** Runs `iothub service method`; context points to the service_options. */
int run_service_method(int argc, char **argv, void *context);

#endif
