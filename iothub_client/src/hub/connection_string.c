#include "iothub/connection_string.h"

#include "iothub/sas.h"
#include "text/base64.h"
#include "text/name_value.h"
#include "text/text_writer.h"

enum part {
    HOST_NAME,
    DEVICE_ID,
    MODULE_ID,
    KEY,
    KEY_NAME,
    SIGNATURE,
    GATEWAY,
    X509,
    X509_CERT, /* as .NET writes it */
    PROVISIONING,
    PART_COUNT
};

static const char *const part_names[PART_COUNT] = {
    "HostName",
    "DeviceId",
    "ModuleId",
    "SharedAccessKey",
    "SharedAccessKeyName",
    "SharedAccessSignature",
    "GatewayHostName",
    "x509",
    "X509Cert",
    "UseProvisioning",
};

#define OF_EVENT_HUB "; that is of an Event Hub or Service Bus, not of an IoT Hub"
#define OF_STORAGE   "; that is of a storage account, not of an IoT Hub"
#define OF_DPS       "; the Device Provisioning Service is not supported yet"

/* Names that other SDKs know or ignore, and slips. */
static const iothub_parts_hint hints[] = {
    { "ProtocolGatewayHostName", "; write GatewayHostName" },
    { "Host", "; write HostName" },
    { "HubName", "; write HostName" },
    { "IotHubName", "; write HostName" },
    { "Server", "; write HostName" },
    { "Device", "; write DeviceId" },
    { "Id", "; write DeviceId" },
    { "ClientId", "; write DeviceId" },
    { "Module", "; write ModuleId" },
    { "Key", "; write SharedAccessKey" },
    { "DeviceKey", "; write SharedAccessKey" },
    { "PrimaryKey", "; write SharedAccessKey" },
    { "AccessKey", "; write SharedAccessKey" },
    { "SharedKey", "; write SharedAccessKey" },
    { "SasToken", "; write SharedAccessSignature" },
    { "Token", "; write SharedAccessSignature" },
    { "SharedAccessPolicy", "; write SharedAccessKeyName" },
    { "PolicyName", "; write SharedAccessKeyName" },
    { "Endpoint", OF_EVENT_HUB },
    { "EntityPath", OF_EVENT_HUB },
    { "AccountKey", OF_STORAGE },
    { "AccountName", OF_STORAGE },
    { "DefaultEndpointsProtocol", OF_STORAGE },
    { "IdScope", OF_DPS },
    { "RegistrationId", OF_DPS },
    { "GlobalDeviceEndpoint", OF_DPS },
    { "DeviceScope", "; leave it out, the hub knows the scope of a device" },
    { NULL, "; check its spelling, or leave it out" },
};

static const iothub_parts_format format = {
    .what = "connection string",
    .separator = ';',
    .ignore_case = true,
    .trim = true,
    .names = part_names,
    .count = PART_COUNT,
    .no_name = "is not Name=Value, such as HostName=... or DeviceId=...",
    .bad_name = "has an unknown name; there are HostName, DeviceId, SharedAccessKey and a few more",
    .hints = hints,
};

static iothub_result invalid(enum part part, const char *problem, iothub_error *err)
{
    return iothub_parts_fail(&format, part, IOTHUB_ERR_PART_INVALID, problem, err);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool contains(mqc_span s, char c)
{
    return s.len != 0 && memchr(s.ptr, c, s.len) != NULL;
}

/* Name the first byte at fault; values are shown one byte at a time, never whole. */
static iothub_result fail_byte(enum part part, uint8_t byte, const char *problem, iothub_error *err)
{
    bool printable = byte > 0x20 && byte < 0x7F;
    const mqc_span texts[] = {
        mqc_span_str(format.what),
        mqc_span_str(": "),
        mqc_span_str(part_names[part]),
        mqc_span_str(printable ? " contains '" : " contains "),
        printable ? mqc_span_of(&byte, 1)
                  : mqc_span_str(byte == ' ' ? "a space" : "a control or non-ASCII character"),
        mqc_span_str(printable ? "'" : ""),
        mqc_span_str(problem),
    };
    return iothub_fail_parts(err, IOTHUB_ERR_PART_INVALID, texts, sizeof texts / sizeof texts[0]);
}

/* IPv6 addresses stand without brackets. */
static bool looks_like_ipv6(mqc_span host)
{
    size_t colons = 0;

    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];
        bool hex = is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
        colons += c == ':' ? 1 : 0;
        if (!hex && c != ':' && c != '.') {
            return false;
        }
    }
    return colons >= 2 && host.len <= 45;
}

/* One label of a host name, RFC 1123 section 2.1. */
static iothub_result check_label(enum part part, mqc_span label, iothub_error *err)
{
    if (label.len == 0) {
        return invalid(part, "has a dot at an end or two in a row", err);
    }
    if (label.len > 63) {
        return invalid(part, "has more than 63 characters between two dots", err);
    }
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.ptr[i];
        if (!is_alnum(c) && c != '-') {
            return fail_byte(part, c,
                             c == ':' ? "; it is a host name without scheme and port"
                                      : ", which no host name has",
                             err);
        }
    }
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-') {
        return invalid(part, "has a '-' beside a dot or at an end", err);
    }
    return IOTHUB_OK;
}

static iothub_result check_host(enum part part, mqc_span host, iothub_error *err)
{
    if (host.len > IOTHUB_HOST_MAX) {
        return invalid(part, "is longer than 253 characters", err);
    }
    if (looks_like_ipv6(host)) {
        return IOTHUB_OK;
    }
    for (size_t from = 0, at = 0; at <= host.len; at++) {
        if (at < host.len && host.ptr[at] != '.') {
            continue;
        }
        iothub_result r = check_label(part, mqc_span_of(host.ptr + from, at - from), err);
        if (r != IOTHUB_OK) {
            return r;
        }
        from = at + 1;
    }
    return IOTHUB_OK;
}

/* The hub's own rule for ids; MQTT is stricter, see iothub_connection_string_check_mqtt. */
static iothub_result check_id(enum part part, mqc_span id, iothub_error *err)
{
    const mqc_span specials = MQC_SPAN_LIT("-.+%_#*?!(),=@$':");

    if (id.len > IOTHUB_ID_MAX) {
        return invalid(part, "is longer than 128 characters", err);
    }
    for (size_t i = 0; i < id.len; i++) {
        if (!is_alnum(id.ptr[i]) && !contains(specials, (char)id.ptr[i])) {
            return fail_byte(part, id.ptr[i], ", which the hub does not allow", err);
        }
    }
    return IOTHUB_OK;
}

static iothub_result check_policy(mqc_span name, iothub_error *err)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= 0x20 || name.ptr[i] >= 0x7F) {
            return fail_byte(KEY_NAME, name.ptr[i], ", which no policy name has", err);
        }
    }
    return name.len <= 128 ? IOTHUB_OK : invalid(KEY_NAME, "is longer than 128 characters", err);
}

static iothub_result check_key(mqc_span key, iothub_error *err)
{
    size_t len;

    if (!iothub_base64_valid(key, &len)) {
        return iothub_parts_fail(&format, KEY, IOTHUB_ERR_KEY,
                                 "is not base64; copy it whole, with the '=' at its end", err);
    }
    if (len > IOTHUB_KEY_MAX) {
        return iothub_parts_fail(&format, KEY, IOTHUB_ERR_KEY, "is longer than 1024 bytes", err);
    }
    return IOTHUB_OK;
}

/* true and false in any letter case: .NET and Python write True and False. */
static bool is_word(mqc_span value, const char *word)
{
    mqc_span w = mqc_span_str(word);

    if (value.len != w.len) {
        return false;
    }
    for (size_t i = 0; i < w.len; i++) {
        if ((value.ptr[i] | 0x20) != w.ptr[i]) {
            return false;
        }
    }
    return true;
}

static bool is_flag(enum part part)
{
    return part == X509 || part == X509_CERT || part == PROVISIONING;
}

/* A flag that is false is as good as absent. */
static void drop_false_flags(mqc_span *v)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (is_flag((enum part)i) && is_word(v[i], "false")) {
            v[i] = mqc_span_of(NULL, 0);
        }
    }
}

/* x509=true and UseProvisioning=true are right, but not for this version. */
static iothub_result check_flag(enum part part, mqc_span value, iothub_error *err)
{
    if (!is_word(value, "true")) {
        return invalid(part, "can only be true or false", err);
    }
    return iothub_parts_fail(&format, part, IOTHUB_ERR_UNSUPPORTED,
                             "is not supported yet; use SharedAccessKey", err);
}

static iothub_result check_value(enum part part, mqc_span value, iothub_error *err)
{
    iothub_sas_token token;

    switch (part) {
    case HOST_NAME:
    case GATEWAY: return check_host(part, value, err);
    case DEVICE_ID:
    case MODULE_ID: return check_id(part, value, err);
    case KEY: return check_key(value, err);
    case KEY_NAME: return check_policy(value, err);
    case SIGNATURE: return iothub_sas_parse(&token, value, err);
    case X509:
    case X509_CERT:
    case PROVISIONING: return check_flag(part, value, err);
    case PART_COUNT: break;
    }
    return IOTHUB_OK;
}

static bool is_only_host(const mqc_span *v)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        if ((v[i].len != 0) != (i == HOST_NAME)) {
            return false;
        }
    }
    return true;
}

/* Which parts must, may and must not stand together. */
static iothub_result check_together(const mqc_span *v, iothub_error *err)
{
    bool service = v[DEVICE_ID].len == 0 && v[MODULE_ID].len == 0 && v[KEY_NAME].len != 0;
    bool unsupported = v[X509].len != 0 || v[X509_CERT].len != 0 || v[PROVISIONING].len != 0;

    if (v[HOST_NAME].len == 0) {
        return iothub_parts_missing(&format, HOST_NAME, err);
    }
    if (v[DEVICE_ID].len == 0 && !service) {
        return iothub_parts_fail(&format, DEVICE_ID, IOTHUB_ERR_PART_MISSING,
                                 is_only_host(v)
                                     ? "is missing; a shell cuts the string at its first "
                                       "';' unless it is in quotes"
                                     : "is missing",
                                 err);
    }
    if (v[GATEWAY].len != 0 && service) {
        return invalid(GATEWAY, "is for devices and modules, not for services; leave it out", err);
    }
    if (v[KEY].len != 0 && v[SIGNATURE].len != 0) {
        return invalid(SIGNATURE, "and SharedAccessKey exclude each other; leave one out", err);
    }
    if (v[KEY].len == 0 && v[SIGNATURE].len == 0 && !unsupported) {
        return iothub_parts_missing(&format, KEY, err);
    }
    return IOTHUB_OK;
}

static iothub_identity_kind kind_of(const mqc_span *v)
{
    if (v[DEVICE_ID].len == 0) {
        return IOTHUB_IDENTITY_SERVICE;
    }
    return v[MODULE_ID].len != 0 ? IOTHUB_IDENTITY_MODULE : IOTHUB_IDENTITY_DEVICE;
}

static mqc_span whole(const char *text)
{
    const mqc_span byte_order_mark = MQC_SPAN_LIT("\xEF\xBB\xBF");
    mqc_span s = mqc_span_str(text);

    if (s.len >= byte_order_mark.len &&
        memcmp(s.ptr, byte_order_mark.ptr, byte_order_mark.len) == 0) {
        s = mqc_span_of(s.ptr + byte_order_mark.len, s.len - byte_order_mark.len);
    }
    s = iothub_trim(s);
    if (s.len != 0 && s.ptr[s.len - 1] == ';') {
        s.len--;
    }
    return s;
}

static iothub_result split(mqc_span s, mqc_span *v, iothub_error *err)
{
    if (s.len == 0) {
        return iothub_fail(err, IOTHUB_ERR_PART_MISSING,
                           "connection string: is empty, HostName is missing");
    }
    if (s.ptr[0] == '"' || s.ptr[0] == '\'') {
        return iothub_fail(err, IOTHUB_ERR_PART_INVALID,
                           "connection string: begins with a quotation mark; leave the quotes out");
    }
    return iothub_parts_split(&format, s, v, err);
}

iothub_result iothub_connection_string_parse(iothub_connection_string *out, const char *text,
                                             iothub_error *err)
{
    mqc_span v[PART_COUNT] = { { NULL, 0 } };
    mqc_span s = whole(text);

    if (out == NULL || text == NULL) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "connection string: none given");
    }
    iothub_result r = split(s, v, err);
    if (r == IOTHUB_OK) {
        drop_false_flags(v);
        r = check_together(v, err);
    }
    for (size_t i = 0; r == IOTHUB_OK && i < PART_COUNT; i++) {
        if (v[i].len != 0) {
            r = check_value((enum part)i, v[i], err);
        }
    }
    if (r != IOTHUB_OK) {
        return r;
    }
    const iothub_connection_string cs = {
        .kind = kind_of(v),
        .host_name = v[HOST_NAME],
        .gateway_host_name = v[GATEWAY],
        .device_id = v[DEVICE_ID],
        .module_id = v[MODULE_ID],
        .policy_name = v[KEY_NAME],
        .key = v[KEY],
        .signature = v[SIGNATURE],
    };
    *out = cs;
    return IOTHUB_OK;
}

static iothub_result check_topic_id(enum part part, mqc_span id, iothub_error *err)
{
    for (size_t i = 0; i < id.len; i++) {
        if (id.ptr[i] == '+' || id.ptr[i] == '#') {
            return fail_byte(part, id.ptr[i], ", which an MQTT topic cannot carry", err);
        }
    }
    return IOTHUB_OK;
}

iothub_result iothub_connection_string_check_mqtt(const iothub_connection_string *cs,
                                                  iothub_error *err)
{
    if (cs == NULL) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "connection string: is NULL");
    }
    if (cs->kind == IOTHUB_IDENTITY_SERVICE) {
        return invalid(KEY_NAME, "makes this a service string; a device string has DeviceId too",
                       err);
    }
    iothub_result r = check_topic_id(DEVICE_ID, cs->device_id, err);
    return r == IOTHUB_OK ? check_topic_id(MODULE_ID, cs->module_id, err) : r;
}
