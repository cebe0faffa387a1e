#ifndef SERVICE_SERVICE_MONITOR_H
#define SERVICE_SERVICE_MONITOR_H

/** Runs `iothub service monitor`; context points to the service_options. */
int run_service_monitor(int argc, char **argv, void *context);

#endif
