#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

/** `iothub service`: the back end's side of a hub. */
int run_service(int argc, char **argv, void *context);

#endif
