/* Describes why the hub refused a request. */

#include "hub/refusal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/secret.h"
#include "command/commands.h"

enum { NAME_SIZE = 160 };

/* The hub's description of an error, parsed from any of its formats. */
typedef struct fault {
    char code[64]; /* such as "DeviceNotFound" or "404103" */
    char text[256];
} fault;

/* Copies text of a server without secrets: it may contain the token that was sent to it, or a
 * key. */
static void copy_redacted(char *out, size_t cap, const char *from, size_t len)
{
    size_t n = len < cap - 1 ? len : cap - 1;

    memcpy(out, from, n);
    out[n] = '\0';
    cli_redact(out);
}

/* {"errorCode":404103,"message":"..."} */
static bool read_numbered(fault *f, const cJSON *json)
{
    const cJSON *number = cJSON_GetObjectItem(json, "errorCode");
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, "message"));

    if (!cJSON_IsNumber(number)) {
        return false;
    }
    (void)snprintf(f->code, sizeof f->code, "%d", number->valueint);
    text = text != NULL ? text : "";
    copy_redacted(f->text, sizeof f->text, text, strlen(text));
    return true;
}

/* Parses "ErrorCode:DeviceNotFound;text", or a string that contains one of the other formats. */
static void read_message(fault *f, const char *message)
{
    static const char prefix[] = "ErrorCode:";
    cJSON *inner = cJSON_Parse(message);
    bool numbered = read_numbered(f, inner);

    cJSON_Delete(inner);
    if (numbered) {
        return;
    }
    if (strncmp(message, prefix, sizeof prefix - 1) == 0) {
        message += sizeof prefix - 1;
        size_t len = strcspn(message, ";");
        copy_redacted(f->code, sizeof f->code, message, len);
        message += message[len] == ';' ? len + 1 : len;
    }
    copy_redacted(f->text, sizeof f->text, message, strlen(message));
}

static void read_fault(fault *f, const rest_reply *reply)
{
    cJSON *json = cJSON_Parse(reply->body);
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "Message"));

    memset(f, 0, sizeof *f);
    copy_redacted(f->code, sizeof f->code, reply->code, strlen(reply->code));
    if (message != NULL) {
        read_message(f, message);
    } else {
        (void)read_numbered(f, json);
    }
    cJSON_Delete(json);
}

/* Returns whether a message may show the id, which may be a key by mistake. A key with a '/' was
 * split as DEVICE/MODULE, and half of a key can look harmless, so both parts are shown or
 * neither. */
static bool may_name(const hub_target *target)
{
    return target != NULL && cli_may_show(target->device) && cli_may_show(target->module);
}

static const char *quoted(char out[NAME_SIZE], const char *id)
{
    bool given = *id != '\0';

    (void)snprintf(out, NAME_SIZE, given ? "'%s'" : "%s", given ? id : "with this id");
    return out;
}

static bool code_is(const fault *f, const char *name, const char *number)
{
    return strcmp(f->code, name) == 0 || strcmp(f->code, number) == 0;
}

static bool is_emulator_only(const rest_reply *reply, const fault *f, const char *path)
{
    bool unknown_path = reply->status == 404 || reply->status == 405 || reply->status == 501 ||
                        code_is(f, "InvalidProtocolVersion", "400023");

    return unknown_path && strncmp(path, EMULATOR_PATH, sizeof EMULATOR_PATH - 1) == 0;
}

static void explain_missing(const rest_reply *reply, const fault *f, const char *path,
                            const hub_target *target)
{
    char device[NAME_SIZE];
    char module[NAME_SIZE];

    if (code_is(f, "DeviceNotFound", "404001")) {
        cli_error("the hub knows no device %s (404)",
                  quoted(device, may_name(target) ? target->device : ""));
    } else if (code_is(f, "ModuleNotFound", "404010")) {
        cli_error("the device %s has no module %s (404)",
                  quoted(device, may_name(target) ? target->device : ""),
                  quoted(module, may_name(target) ? target->module : ""));
    } else if (code_is(f, "DeviceNotOnline", "404103")) {
        cli_error("the device %s is not connected, or does not subscribe to methods (404103)",
                  quoted(device, may_name(target) ? target->device : ""));
    } else if (is_emulator_only(reply, f, path)) {
        cli_error("only the hub emulator has this interface; a hub in the cloud offers messages to "
                  "devices and telemetry over AMQP");
    } else {
        cli_error("the hub answered %ld: %s %s", reply->status, f->code, f->text);
    }
}

void hub_explain_refusal(const rest_reply *reply, const char *path, const hub_target *target)
{
    char device[NAME_SIZE];
    fault f;

    read_fault(&f, reply);
    switch (reply->status) {
    case 401:
        cli_error("the hub refused the token (401): the key or the policy of "
                  "IOTHUB_CONNECTION_STRING is wrong, or the clock of this machine");
        return;
    case 429: cli_error("the hub limits the rate of requests (429): try again later"); return;
    case 504:
        cli_error("the device %s did not answer in time (504)",
                  quoted(device, may_name(target) ? target->device : ""));
        return;
    default: explain_missing(reply, &f, path, target); return;
    }
}
