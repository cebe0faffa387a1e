/*
 * Plug and Play without components: a thermostat that implements the model
 * dtmi:com:example:Thermostat;1. Its temperature is what the cloud desires.
 *
 *     thermostat --count 100
 *     iothub service twin update device1 '{"properties":{"desired":{"targetTemperature":25}}}'
 *     iothub service method device1 getMaxMinReport '"2026-01-01T00:00:00Z"'
 */

#include "thermostat_model.h"

typedef struct app {
    pnp_sample sample;
    thermostat thermostat;
    uint64_t version; /* version of the desired properties that were applied */
} app;

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    app *a = user;
    iothub_pnp_walk p;

    if (d->result != IOTHUB_OK) {
        (void)sample_fail(d->text);
        return;
    }
    if (d->complete) { /* the complete document comes after each connect */
        thermostat_report_highest(&a->thermostat, c);
    }
    if (d->version == a->version) {
        return; /* nothing has changed since the last connection */
    }
    a->version = d->version;
    iothub_pnp_walk_init(&p, d->json, NULL, 0);
    while (iothub_pnp_next(&p)) {
        if (p.component.len == 0) {
            thermostat_on_property(&a->thermostat, c, &p, d->version);
        }
    }
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    const app *a = user;

    if (!thermostat_on_command(&a->thermostat, c, call)) {
        pnp_respond(c, call, IOTHUB_PNP_NOT_FOUND, "{}");
    }
    return IOTHUB_METHOD_TAKEN;
}

static iothub_result send_reading(pnp_sample *s, iothub_client *c, unsigned number)
{
    const app *a = (const app *)s;

    (void)number;
    return thermostat_send_temperature(&a->thermostat, c);
}

int main(int argc, char **argv)
{
    app a = { .version = 0 };

    pnp_sample_init(&a.sample, argc, argv, "Be a thermostat of IoT Plug and Play.",
                    "dtmi:com:example:Thermostat;1");
    a.sample.sample.options.callbacks.desired = on_desired;
    a.sample.sample.options.callbacks.method = on_method;
    thermostat_init(&a.thermostat, NULL);
    return pnp_sample_run(&a.sample, send_reading);
}
