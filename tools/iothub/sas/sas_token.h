#ifndef SAS_SAS_TOKEN_H
#define SAS_SAS_TOKEN_H

/** `iothub sas-token` */
int run_sas_token(int argc, char **argv, void *context);

#endif
