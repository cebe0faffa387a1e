/* `iothub fleet`: the devices and the loop. */

#include "fleet/fleet.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "command/commands.h"
#include "fleet/clock.h"
#include "fleet/device.h"
#include "fleet/options.h"
#include "fleet/report.h"
#include "fleet/source.h"

enum { GRACE_MS = 5000, OTHER_DESCRIPTORS = 64 };

typedef struct fleet {
    fleet_options options;
    fleet_totals totals;
    fleet_load *load;
    fleet_device **devices;
    size_t count;
    uint64_t began_us;
    size_t heap; /* bytes of heap in use when all devices existed */
} fleet;

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

/* --- getting ready ------------------------------------------------------------------ */

static bool grow(fleet *f)
{
    if ((f->count & (f->count + 1)) != 0) { /* the array has room up to the next power of two */
        return true;
    }
    fleet_device **longer = realloc(f->devices, 2 * (f->count + 1) * sizeof(fleet_device *));
    if (longer == NULL) {
        cli_error("out of memory");
        return false;
    }
    f->devices = longer;
    return true;
}

static bool add_device(void *user, const char *connection_string, const char *where)
{
    fleet *f = user;
    fleet_device *d = grow(f) ? fleet_device_new(f->load, connection_string, where) : NULL;

    if (d == NULL) {
        return false;
    }
    f->devices[f->count++] = d;
    return true;
}

static bool add_devices(fleet *f)
{
    const fleet_options *o = &f->options;
    const fleet_shard shard = { o->shard, o->shards };
    const fleet_source_new new_devices = { o->prefix, o->create, o->rest_port };

    return o->file != NULL ? fleet_source_read(o->file, shard, add_device, f)
                           : fleet_source_create(&new_devices, shard, add_device, f);
}

/* A connection needs one descriptor, and two while its token is renewed. */
static void check_descriptors(const fleet *f)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < f->count + OTHER_DESCRIPTORS) {
        (void)cli_error("only %llu descriptors are allowed (ulimit -Hn): some devices will fail",
                        (unsigned long long)limit.rlim_cur);
    }
}

static bool set_up(fleet *f)
{
    const fleet_options *o = &f->options;
    const fleet_load_options load = { o->port, o->rate, (size_t)o->size, o->telemetry_only };

    f->load = fleet_load_new(&load, &f->totals);
    if (f->load == NULL) {
        (void)cli_error("out of memory");
        return false;
    }
    if (!add_devices(f)) {
        return false;
    }
    if (f->count == 0) {
        (void)cli_error("no devices in this shard");
        return false;
    }
    check_descriptors(f);
    return true;
}

/* --- running -------------------------------------------------------------------------- */

static void schedule_all(fleet *f)
{
    double gap_us = 1e6 / f->options.ramp;

    srand48((long)(fleet_now_us() ^ f->options.shard << 32));
    f->began_us = fleet_now_us();
    for (size_t i = 0; i < f->count; i++) {
        double moment = ((double)i + drand48()) * gap_us;
        fleet_device_schedule(f->devices[i], f->began_us + (uint64_t)moment);
    }
}

static fleet_report report_of(const fleet *f)
{
    return (fleet_report){
        .totals = &f->totals,
        .devices = f->count,
        .began_us = f->began_us,
        .heap = f->heap,
        .failed = fleet_load_failed(f->load),
    };
}

static void print_progress(const fleet *f)
{
    const fleet_report report = report_of(f);

    fleet_report_progress(&report);
}

static void run(fleet *f)
{
    const fleet_options *o = &f->options;
    uint64_t report_us = f->began_us + o->report_s * 1000000;
    uint64_t end_us = o->duration_s != 0 ? f->began_us + o->duration_s * 1000000 : UINT64_MAX;

    while (!interrupted && !fleet_load_failed(f->load)) {
        uint64_t now = fleet_now_us();
        if (now >= end_us) {
            return;
        }
        if (now >= report_us) {
            print_progress(f);
            report_us += o->report_s * 1000000;
        }
        fleet_load_turn(f->load, report_us < end_us ? report_us : end_us);
    }
}

/* Waits for the acknowledgements of sent messages; nothing new is sent. */
static void stop_all(fleet *f)
{
    for (size_t i = 0; i < f->count; i++) {
        fleet_device_stop(f->devices[i], GRACE_MS);
    }
    for (size_t i = 0; i < f->count; i++) {
        while (!fleet_device_is_stopped(f->devices[i])) {
            fleet_load_turn(f->load, fleet_now_us() + 1000000);
        }
    }
}

static void free_all(fleet *f)
{
    for (size_t i = 0; i < f->count; i++) {
        fleet_device_free(f->devices[i]);
    }
    fleet_load_free(f->load);
    free(f->devices);
}

int run_fleet(int argc, char **argv, void *context)
{
    fleet f = { .count = 0 };
    const struct sigaction action = { .sa_handler = on_signal };
    int status = EXIT_FAILURE;

    (void)context;
    if (!fleet_options_read(&f.options, argc, argv)) {
        return CLI_EXIT_USAGE;
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (set_up(&f)) {
        schedule_all(&f);
        run(&f);
        print_progress(&f);
        f.heap = mallinfo2().uordblks;
        stop_all(&f);
        const fleet_report report = report_of(&f);
        status = fleet_report_summary(&report);
    }
    free_all(&f);
    return status;
}
