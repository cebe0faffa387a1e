#ifndef SERVICE_SERVICE_TWIN_H
#define SERVICE_SERVICE_TWIN_H

/** `iothub service twin get|update`; context: the service_options. */
int run_service_twin(int argc, char **argv, void *context);

#endif
