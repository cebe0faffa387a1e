/*
 * Plug and Play with components: a temperature controller that implements the model
 * dtmi:com:example:TemperatureController;1, with two thermostats and device information.
 *
 *     temperature_controller --count 100
 *     iothub service twin update device1 \
 *         '{"properties":{"desired":{"thermostat1":{"__t":"c","targetTemperature":25}}}}'
 *     iothub service method device1 'thermostat2*getMaxMinReport' '"2026-01-01T00:00:00Z"'
 *     iothub service method device1 reboot 5
 */

#include <stdio.h>
#include <sys/resource.h>

#include "thermostat_model.h"

enum { THERMOSTATS = 2, COMPONENTS };

static const char *const components[COMPONENTS] = { "thermostat1", "thermostat2",
                                                    "deviceInformation" };

typedef struct app {
    pnp_sample sample;
    thermostat thermostats[THERMOSTATS];
    uint64_t version; /* version of the desired properties that were applied */
} app;

/* Reports the properties of the controller and of its device information, which never change. */
static void report_device(iothub_client *c)
{
    char buf[500];
    iothub_json_writer w;

    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_string(&w, "serialNumber", "serial-no-123-abc");
    iothub_pnp_put_component(&w, "deviceInformation");
    iothub_json_put_string(&w, "swVersion", "1.0.0.0");
    iothub_json_put_string(&w, "manufacturer", "Sample-Manufacturer");
    iothub_json_put_string(&w, "model", "sample-Model-123");
    iothub_json_put_string(&w, "osName", "sample-OperatingSystem-name");
    iothub_json_put_string(&w, "processorArchitecture", "Contoso-Arch-64bit");
    iothub_json_put_string(&w, "processorManufacturer", "Processor Manufacturer(TM)");
    iothub_json_put_int(&w, "totalStorage", 10000);
    iothub_json_put_int(&w, "totalMemory", 200);
    iothub_json_put_end(&w);
    iothub_json_put_end(&w);
    pnp_report(c, &w);
}

static void on_property(app *a, iothub_client *c, const iothub_pnp_walk *p, uint64_t version)
{
    for (size_t i = 0; i < THERMOSTATS; i++) {
        if (p->name.len != 0 && iothub_json_equals(p->component, components[i])) {
            thermostat_on_property(&a->thermostats[i], c, p, version);
            return;
        }
    }
    sample_print("not in the model: %.*s %.*s", (int)p->component.len,
                 (const char *)p->component.ptr, (int)p->name.len, (const char *)p->name.ptr);
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    app *a = user;
    iothub_pnp_walk p;

    if (d->result != IOTHUB_OK) {
        (void)sample_fail(d->text);
        return;
    }
    if (d->complete) { /* the complete document comes after each connect */
        report_device(c);
        thermostat_report_highest(&a->thermostats[0], c);
        thermostat_report_highest(&a->thermostats[1], c);
    }
    if (d->version == a->version) {
        return; /* nothing has changed since the last connection */
    }
    a->version = d->version;
    iothub_pnp_walk_init(&p, d->json, components, COMPONENTS);
    while (iothub_pnp_next(&p)) {
        on_property(a, c, &p, d->version);
    }
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    const app *a = user;
    int64_t delay_s;

    if (thermostat_on_command(&a->thermostats[0], c, call) ||
        thermostat_on_command(&a->thermostats[1], c, call)) {
        return IOTHUB_METHOD_TAKEN;
    }
    if (!iothub_pnp_is_command(call->name, NULL, "reboot")) {
        pnp_respond(c, call, IOTHUB_PNP_NOT_FOUND, "{}");
    } else if (iothub_json_get_int(call->payload, &delay_s) != IOTHUB_OK) {
        pnp_respond(c, call, IOTHUB_PNP_BAD_VALUE, "{}");
    } else {
        printf("a device would restart in %lld s\n", (long long)delay_s);
        pnp_respond(c, call, IOTHUB_PNP_COMPLETED, "{}");
    }
    return IOTHUB_METHOD_TAKEN;
}

static iothub_result send_working_set(iothub_client *c)
{
    char buf[60];
    iothub_json_writer w;
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_int(&w, "workingSet", usage.ru_maxrss); /* in KiB */
    iothub_json_put_end(&w);
    return pnp_send(c, NULL, &w);
}

/* Sends in turn a reading of the first thermostat, of the second, and of the controller. */
static iothub_result send_reading(pnp_sample *s, iothub_client *c, unsigned number)
{
    const app *a = (const app *)s;
    const unsigned turn = number % (THERMOSTATS + 1);

    return turn == THERMOSTATS ? send_working_set(c)
                               : thermostat_send_temperature(&a->thermostats[turn], c);
}

int main(int argc, char **argv)
{
    app a = { .version = 0 };

    pnp_sample_init(&a.sample, argc, argv, "Be a temperature controller of IoT Plug and Play.",
                    "dtmi:com:example:TemperatureController;1");
    a.sample.sample.options.callbacks.desired = on_desired;
    a.sample.sample.options.callbacks.method = on_method;
    thermostat_init(&a.thermostats[0], components[0]);
    thermostat_init(&a.thermostats[1], components[1]);
    return pnp_sample_run(&a.sample, send_reading);
}
