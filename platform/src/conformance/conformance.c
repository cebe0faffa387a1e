#include "platform/conformance.h"

#include "conformance/conf_groups.h"

static struct conf_bytes bytes;

static void check_streams(struct conf_run *run)
{
    const plat_conformance_peer *peer = run->c->peer;

    if (peer == NULL) {
        conf_run_leave_out(run, "streams", "there is no peer");
        return;
    }
    conf_run_group(run, "streams");
    conf_stream(run);
    conf_run_group(run, "failures of streams");
    conf_failures(run);
}

static void check_what_needs_time(struct conf_run *run)
{
    conf_run_group(run, "plat_net.wait");
    conf_wait(run);
    if (run->c->platform->threads == NULL) {
        conf_run_leave_out(run, "threads", "the platform has none");
    } else {
        conf_run_group(run, "threads");
        conf_threads(run);
    }
    check_streams(run);
}

unsigned plat_conformance_run(const plat_conformance *c)
{
    struct conf_run run;

    conf_run_begin(&run, c, &bytes);
    if (c->platform->crypto == NULL) {
        conf_run_leave_out(&run, "cryptography", "the platform has none");
    } else {
        conf_run_group(&run, "cryptography");
        conf_crypto(&run);
        conf_base64(&run);
    }
    conf_run_group(&run, "the clock");
    if (conf_clock(&run)) {
        check_what_needs_time(&run);
    } else {
        conf_run_leave_out(&run, "waits, threads and streams", "the clock does not measure time");
    }
    if (c->store == NULL) {
        conf_run_leave_out(&run, "the store", "there is none");
    } else {
        conf_run_group(&run, "the store");
        conf_store(&run);
    }
    if (c->kv == NULL) {
        conf_run_leave_out(&run, "named values", "there is no store of them");
    } else {
        conf_run_group(&run, "named values");
        conf_kv(&run);
    }
    conf_run_end(&run);
    return run.broken;
}
