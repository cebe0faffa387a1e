#include "edge/edge_environment.h"

#include <string.h>

/* An empty variable counts as not set. */
static const char *find(char *(*get)(const char *name), const char *name)
{
    const char *value = get(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static iothub_result require(const char **value, char *(*get)(const char *name), const char *name,
                             iothub_error *error)
{
    *value = find(get, name);
    return *value != NULL
               ? IOTHUB_OK
               : iothub_fail(error, IOTHUB_ERR_PART_MISSING,
                             "environment: %s is not set; IoT Edge sets it for its modules", name);
}

static iothub_result read_all(edge_environment *e, char *(*get)(const char *name),
                              iothub_error *error)
{
    const struct {
        const char **value;
        const char *name;
    } variables[] = {
        { &e->host_name, "IOTEDGE_IOTHUBHOSTNAME" },
        { &e->device_id, "IOTEDGE_DEVICEID" },
        { &e->module.module_id, "IOTEDGE_MODULEID" },
        { &e->module.generation_id, "IOTEDGE_MODULEGENERATIONID" },
        { &e->module.workload_uri, "IOTEDGE_WORKLOADURI" },
        { &e->module.api_version, "IOTEDGE_APIVERSION" },
    };

    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        iothub_result r = require(variables[i].value, get, variables[i].name, error);
        if (r != IOTHUB_OK) {
            return r;
        }
    }
    return IOTHUB_OK;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static iothub_result check(const edge_environment *e, const char *scheme, iothub_error *error)
{
    const char *uri = e->module.workload_uri;

    if (!starts_with(uri, "http://") && workload_socket(&e->module) == NULL) {
        return iothub_fail(error, IOTHUB_ERR_PART_INVALID,
                           "environment: IOTEDGE_WORKLOADURI is neither unix:// nor http://");
    }
    if (scheme != NULL && strcmp(scheme, "sasToken") != 0 && strcmp(scheme, "SasToken") != 0) {
        return iothub_fail(error, IOTHUB_ERR_UNSUPPORTED,
                           "environment: IOTEDGE_AUTHSCHEME is not sasToken");
    }
    return IOTHUB_OK;
}

iothub_result edge_environment_read(edge_environment *e, char *(*get)(const char *name),
                                    iothub_error *error)
{
    memset(e, 0, sizeof *e);
    e->simulator = find(get, "EdgeHubConnectionString");
    if (e->simulator != NULL) {
        e->ca_file = find(get, "EdgeModuleCACertificateFile");
        return IOTHUB_OK;
    }
    e->gateway_host_name = find(get, "IOTEDGE_GATEWAYHOSTNAME");
    iothub_result r = read_all(e, get, error);
    return r == IOTHUB_OK ? check(e, find(get, "IOTEDGE_AUTHSCHEME"), error) : r;
}

static void put_part(iothub_text *t, const char *name, const char *value)
{
    iothub_text_put(t, name);
    iothub_text_put(t, value);
}

void edge_environment_put_connection_string(iothub_text *t, const edge_environment *e)
{
    if (e->simulator != NULL) {
        iothub_text_put(t, e->simulator);
        return;
    }
    put_part(t, "HostName=", e->host_name);
    put_part(t, ";DeviceId=", e->device_id);
    put_part(t, ";ModuleId=", e->module.module_id);
    if (e->gateway_host_name != NULL) {
        put_part(t, ";GatewayHostName=", e->gateway_host_name);
    }
}
