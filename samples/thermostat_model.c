#include "thermostat_model.h"

void thermostat_init(thermostat *t, const char *component)
{
    const double first = 22;
    const thermostat begin = { component, first, first, first, first, 1, time(NULL) };

    *t = begin;
}

iothub_result thermostat_send_temperature(const thermostat *t, iothub_client *c)
{
    char buf[60];
    iothub_json_writer w;

    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_double(&w, "temperature", t->temperature, 2);
    iothub_json_put_end(&w);
    return pnp_send(c, t->component, &w);
}

/* --- properties ------------------------------------------------------------------ */

static void begin_report(const thermostat *t, iothub_json_writer *w)
{
    iothub_json_put_object(w, NULL);
    if (t->component != NULL) {
        iothub_pnp_put_component(w, t->component);
    }
}

static void end_report(const thermostat *t, iothub_client *c, iothub_json_writer *w)
{
    if (t->component != NULL) {
        iothub_json_put_end(w);
    }
    iothub_json_put_end(w);
    pnp_report(c, w);
}

void thermostat_report_highest(const thermostat *t, iothub_client *c)
{
    char buf[120];
    iothub_json_writer w;

    iothub_json_writer_init(&w, buf, sizeof buf);
    begin_report(t, &w);
    iothub_json_put_double(&w, "maxTempSinceLastReboot", t->highest, 2);
    end_report(t, c, &w);
}

static void set(thermostat *t, double temperature)
{
    t->temperature = temperature;
    t->highest = temperature > t->highest ? temperature : t->highest;
    t->lowest = temperature < t->lowest ? temperature : t->lowest;
    t->sum += temperature;
    t->count++;
}

void thermostat_on_property(thermostat *t, iothub_client *c, const iothub_pnp_walk *property,
                            uint64_t version)
{
    const double highest = t->highest;
    char buf[1024];
    iothub_json_writer w;
    double target;

    if (!iothub_json_equals(property->name, "targetTemperature")) {
        sample_print("%.*s is no property of a thermostat", (int)property->name.len,
                     (const char *)property->name.ptr);
        return;
    }
    iothub_json_writer_init(&w, buf, sizeof buf);
    begin_report(t, &w);
    /* The property was removed, and the thermostat keeps its temperature. */
    if (property->kind == IOTHUB_JSON_NULL) {
        iothub_pnp_put_ack(&w, "targetTemperature", IOTHUB_PNP_DEVICE_VALUE, 0, NULL);
        iothub_json_put_double(&w, IOTHUB_PNP_VALUE, t->temperature, 2);
    } else if (iothub_json_get_double(property->value, &target) != IOTHUB_OK) {
        iothub_pnp_put_ack(&w, "targetTemperature", IOTHUB_PNP_BAD_VALUE, version,
                           "desired temperature is not a number");
        iothub_json_put_raw(&w, IOTHUB_PNP_VALUE, property->value);
    } else {
        set(t, target);
        iothub_pnp_put_ack(&w, "targetTemperature", IOTHUB_PNP_COMPLETED, version, NULL);
        iothub_json_put_raw(&w, IOTHUB_PNP_VALUE, property->value);
    }
    iothub_json_put_end(&w);
    if (t->highest > highest) {
        iothub_json_put_double(&w, "maxTempSinceLastReboot", t->highest, 2);
    }
    end_report(t, c, &w);
    sample_print("%s: temperature %.2f", t->component != NULL ? t->component : "thermostat",
                 t->temperature);
}

/* --- commands -------------------------------------------------------------------- */

static void put_time(iothub_json_writer *w, const char *name, time_t when)
{
    char text[40];

    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&when));
    iothub_json_put_string(w, name, text);
}

bool thermostat_on_command(const thermostat *t, iothub_client *c, const iothub_method_call *call)
{
    char buf[200];
    iothub_json_writer w;

    if (!iothub_pnp_is_command(call->name, t->component, "getMaxMinReport")) {
        return false;
    }
    /* The payload is the beginning of the time to report on. */
    if (iothub_json_kind_of(call->payload) != IOTHUB_JSON_STRING) {
        pnp_respond(c, call, IOTHUB_PNP_BAD_VALUE, "{}");
        return true;
    }
    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_double(&w, "maxTemp", t->highest, 2);
    iothub_json_put_double(&w, "minTemp", t->lowest, 2);
    iothub_json_put_double(&w, "avgTemp", t->sum / t->count, 2);
    put_time(&w, "startTime", t->since);
    put_time(&w, "endTime", time(NULL));
    iothub_json_put_end(&w);
    (void)iothub_json_writer_finish(&w); /* five short members always fit */
    pnp_respond(c, call, IOTHUB_PNP_COMPLETED, buf);
    return true;
}
