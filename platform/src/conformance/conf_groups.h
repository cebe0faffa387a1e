#ifndef CONF_GROUPS_H
#define CONF_GROUPS_H

/* The groups of checks, in the order in which they run. */

#include "conformance/conf_run.h"

/* Returns false if times cannot be measured; the groups that need them are left out then. */
bool conf_clock(struct conf_run *run);
void conf_wait(struct conf_run *run);
void conf_crypto(struct conf_run *run);
void conf_base64(struct conf_run *run);
void conf_threads(struct conf_run *run);
void conf_stream(struct conf_run *run);
void conf_failures(struct conf_run *run); /* of streams */
void conf_store(struct conf_run *run);
void conf_kv(struct conf_run *run);

#endif
