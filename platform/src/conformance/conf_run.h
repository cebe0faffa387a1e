#ifndef CONF_RUN_H
#define CONF_RUN_H

/* A run of the conformance suite: it counts rules and prints the broken ones. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/conformance.h"

enum {
    CONF_BYTES = 1024,     /* size of the buffers that the checks share */
    CONF_CANARY = 0xA5,    /* stands behind a buffer, to see whether it is overrun */
    CONF_BLOCKS_MS = 1000, /* a call that takes longer has blocked */
    CONF_PATIENCE_MS = 10000
};

/* Buffers that several groups use. */
struct conf_bytes {
    uint8_t in[CONF_BYTES];
    uint8_t out[CONF_BYTES];
};

struct conf_run {
    const plat_conformance *c;
    unsigned rules;
    unsigned broken;
    unsigned left_out; /* groups of checks */
    uint8_t *in;       /* CONF_BYTES each */
    uint8_t *out;
};

void conf_run_begin(struct conf_run *run, const plat_conformance *c, struct conf_bytes *bytes);

/* Prints the name of the group that begins. */
void conf_run_group(struct conf_run *run, const char *name);

/* Prints that a group is left out, and why. */
void conf_run_leave_out(struct conf_run *run, const char *name, const char *why);

/* Counts a rule, and prints it if it does not hold: "BROKEN function: rule". Returns whether it
 * holds. */
bool conf_run_rule(struct conf_run *run, bool holds, const char *function, const char *rule);

/* Prints the last line. */
void conf_run_end(struct conf_run *run);

/* The time by the port's clock. */
uint64_t conf_run_now(const struct conf_run *run);

/* Sleeps, by plat_net.wait. Returns early if the clock does not go on. */
void conf_run_sleep(const struct conf_run *run, uint32_t ms);

/* Byte number i of the content of all streams and records. */
uint8_t conf_run_byte(uint32_t i);

#endif
