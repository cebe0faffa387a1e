#include "hub/connection_string.h"

#include "hub/connection_string_take.h"

#include "iothub/sas.h"
#include "text/base64.h"
#include "text/name_value.h"
#include "text/sized_struct.h"
#include "text/split.h"
#include "text/text_writer.h"

enum part {
    HOST_NAME,
    DEVICE_ID,
    MODULE_ID,
    KEY,
    KEY_NAME,
    SIGNATURE,
    GATEWAY,
    FIRST_FLAG,
    X509 = FIRST_FLAG,
    X509_CERT, /* the spelling of .NET */
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

/* Names that other SDKs accept, and common mistakes, with the remedy for each. */
static const iothub_name_value_hint hints[] = {
    { "ProtocolGatewayHostName", "; write GatewayHostName" },
    { "Host HubName IotHubName Server", "; write HostName" },
    { "Device Id ClientId", "; write DeviceId" },
    { "Module", "; write ModuleId" },
    { "Key DeviceKey PrimaryKey AccessKey SharedKey", "; write SharedAccessKey" },
    { "SasToken Token", "; write SharedAccessSignature" },
    { "SharedAccessPolicy PolicyName", "; write SharedAccessKeyName" },
    { "Endpoint EntityPath", "; that is of an Event Hub or Service Bus, not of an IoT Hub" },
    { "AccountKey AccountName DefaultEndpointsProtocol",
      "; that is of a storage account, not of an IoT Hub" },
    { "IdScope RegistrationId GlobalDeviceEndpoint",
      "; that is for the Device Provisioning Service, see iothub/provisioning.h" },
    { "DeviceScope", "; leave it out, the hub knows the scope of a device" },
    { NULL, "; check its spelling, or leave it out" },
};

static const iothub_name_value_format format = {
    .what = "connection string",
    .separator = ';',
    .lenient = true,
    .names = part_names,
    .count = PART_COUNT,
    .no_name = "is not Name=Value, such as HostName=... or DeviceId=...",
    .bad_name = "has an unknown name; there are HostName, DeviceId, SharedAccessKey and a few more",
    .hints = hints,
};

static iothub_result fail(enum part part, iothub_result code, const char *problem,
                          iothub_error *err)
{
    return iothub_name_value_fail(&format, part, code, problem, err);
}

static iothub_result invalid(enum part part, const char *problem, iothub_error *err)
{
    return fail(part, IOTHUB_ERR_PART_INVALID, problem, err);
}

static iothub_result missing(enum part part, iothub_error *err)
{
    return fail(part, IOTHUB_ERR_PART_MISSING, "is missing", err);
}

static iothub_result check_len(enum part part, size_t len, size_t most, iothub_error *err)
{
    if (len <= most) {
        return IOTHUB_OK;
    }
    return iothub_fail(err, part == KEY ? IOTHUB_ERR_KEY : IOTHUB_ERR_PART_INVALID,
                       "%s: %s is longer than %zu bytes", format.what, part_names[part], most);
}

/* --- bytes --------------------------------------------------------------------------- */

static bool is_alnum(uint8_t c)
{
    return iothub_is_letter(c) || iothub_is_digit(c);
}

static bool is_no_colon(uint8_t c)
{
    return c != ':';
}

static bool may_be_in_label(uint8_t c)
{
    return is_alnum(c) || c == '-';
}

/* Returns whether the hub allows the character in an id. MQTT is stricter; see
 * iothub_connection_string_check_mqtt. */
static bool may_be_in_id(uint8_t c)
{
    return is_alnum(c) || (c != '\0' && strchr("-.+%_#*?!(),=@$':", c) != NULL);
}

static bool may_be_in_topic(uint8_t c)
{
    return c != '+' && c != '#';
}

static bool may_be_in_policy(uint8_t c)
{
    return c > 0x20 && c < 0x7F;
}

/* Checks all bytes of a value. An error names the first byte at fault, but never shows the whole
 * value. */
static iothub_result check_bytes(enum part part, mqc_span value, bool (*allowed)(uint8_t),
                                 const char *problem, iothub_error *err)
{
    size_t i = 0;

    while (i < value.len && allowed(value.ptr[i])) {
        i++;
    }
    if (i == value.len) {
        return IOTHUB_OK;
    }
    const char shown[] = { '\'', (char)value.ptr[i], '\'', '\0' };
    const char *what = value.ptr[i] == ' ' ? "a space" : "a control or non-ASCII character";
    return iothub_fail(err, IOTHUB_ERR_PART_INVALID, "%s: %s contains %s%s", format.what,
                       part_names[part], may_be_in_policy(value.ptr[i]) ? shown : what, problem);
}

/* --- values -------------------------------------------------------------------------- */

/* Returns whether the host looks like an IPv6 address, which is written without brackets. */
static bool looks_like_ipv6(mqc_span host)
{
    size_t colons = 0;

    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];
        bool hex = iothub_is_digit(c) || (iothub_is_letter(c) && (c | 0x20) <= 'f');
        if (!hex && c != ':' && c != '.') {
            return false;
        }
        if (c == ':') {
            colons++;
        }
    }
    return colons >= 2 && host.len <= 45;
}

/* Checks one label of a host name by RFC 1123, section 2.1. */
static iothub_result check_label(enum part part, mqc_span label, iothub_error *err)
{
    if (label.len == 0) {
        return invalid(part, "has a dot at an end or two in a row", err);
    }
    if (label.len > 63) {
        return invalid(part, "has more than 63 characters between two dots", err);
    }
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-') {
        return invalid(part, "has a '-' beside a dot or at an end", err);
    }
    iothub_result r =
        check_bytes(part, label, is_no_colon, "; it is a host name without scheme and port", err);
    return r == IOTHUB_OK
               ? check_bytes(part, label, may_be_in_label, ", which no host name has", err)
               : r;
}

static iothub_result check_host(enum part part, mqc_span host, iothub_error *err)
{
    iothub_result r = check_len(part, host.len, IOTHUB_HOST_MAX, err);
    bool more = r == IOTHUB_OK && !looks_like_ipv6(host);

    while (more && r == IOTHUB_OK) {
        mqc_span label;
        more = iothub_cut(host, '.', &label, &host);
        r = check_label(part, label, err);
    }
    return r;
}

static iothub_result check_name(enum part part, mqc_span name, bool (*allowed)(uint8_t),
                                const char *problem, iothub_error *err)
{
    iothub_result r = check_len(part, name.len, IOTHUB_ID_MAX, err);

    return r == IOTHUB_OK ? check_bytes(part, name, allowed, problem, err) : r;
}

static iothub_result check_key(mqc_span key, iothub_error *err)
{
    size_t len;

    if (!iothub_base64_valid(key, &len)) {
        return fail(KEY, IOTHUB_ERR_KEY, "is not base64; copy it whole, with the '=' at its end",
                    err);
    }
    return check_len(KEY, len, IOTHUB_KEY_MAX, err);
}

/* Compares without regard to case, because .NET and Python write True and False. */
static bool is_word(mqc_span value, const char *word)
{
    return iothub_same_word(value, mqc_span_str(word));
}

/* Removes flags with the value false, which are ignored. */
static void drop_false_flags(mqc_span *v)
{
    for (size_t i = FIRST_FLAG; i < PART_COUNT; i++) {
        if (is_word(v[i], "false")) {
            v[i] = mqc_span_of(NULL, 0);
        }
    }
}

static iothub_result check_flag(enum part part, mqc_span value, iothub_error *err)
{
    if (!is_word(value, "true")) {
        return invalid(part, "can only be true or false", err);
    }
    return part != PROVISIONING
               ? IOTHUB_OK
               : fail(part, IOTHUB_ERR_UNSUPPORTED,
                      "is for a device that does not know its hub yet; see iothub/provisioning.h",
                      err);
}

static iothub_result check_value(enum part part, mqc_span value, iothub_error *err)
{
    iothub_sas_token token;

    switch (part) {
    case HOST_NAME:
    case GATEWAY: return check_host(part, value, err);
    case DEVICE_ID:
    case MODULE_ID:
        return check_name(part, value, may_be_in_id, ", which the hub does not allow", err);
    case KEY: return check_key(value, err);
    case KEY_NAME:
        return check_name(part, value, may_be_in_policy, ", which no policy name has", err);
    case SIGNATURE: return iothub_sas_parse(&token, value, err);
    case X509:
    case X509_CERT:
    case PROVISIONING: return check_flag(part, value, err);
    case PART_COUNT: break;
    }
    return IOTHUB_OK;
}

/* --- the whole ----------------------------------------------------------------------- */

/* Returns how many of the parts from `first` on are present. */
static size_t count_from(const mqc_span *v, enum part first)
{
    size_t n = 0;

    for (size_t i = first; i < PART_COUNT; i++) {
        if (v[i].len != 0) {
            n++;
        }
    }
    return n;
}

/* Tells where the key or the token of the identity is. */
typedef enum secret_place { IN_THE_STRING, IN_THE_OPTIONS } secret_place;

static bool has_certificate(const mqc_span *v)
{
    return is_word(v[X509], "true") || is_word(v[X509_CERT], "true");
}

static iothub_result check_secret(const mqc_span *v, secret_place place, iothub_error *err)
{
    if (v[KEY].len != 0 && v[SIGNATURE].len != 0) {
        return invalid(SIGNATURE, "and SharedAccessKey exclude each other; leave one out", err);
    }
    if (place == IN_THE_OPTIONS) {
        const enum part given = v[KEY].len != 0 ? KEY : SIGNATURE;
        return v[given].len == 0
                   ? IOTHUB_OK
                   : invalid(given, "and options.credentials exclude each other; leave one out",
                             err);
    }
    if (has_certificate(v) && (v[KEY].len != 0 || v[SIGNATURE].len != 0)) {
        return invalid(v[KEY].len != 0 ? KEY : SIGNATURE,
                       "and x509=true exclude each other; leave one out", err);
    }
    bool has_secret = v[KEY].len != 0 || v[SIGNATURE].len != 0 || count_from(v, FIRST_FLAG) > 0;
    return has_secret ? IOTHUB_OK : missing(KEY, err);
}

/* Checks which parts are required together, and which exclude each other. */
static iothub_result check_together(const mqc_span *v, secret_place place, iothub_error *err)
{
    bool service = v[DEVICE_ID].len == 0 && v[MODULE_ID].len == 0 && v[KEY_NAME].len != 0;

    if (v[HOST_NAME].len == 0) {
        return missing(HOST_NAME, err);
    }
    if (count_from(v, DEVICE_ID) == 0) {
        return fail(DEVICE_ID, IOTHUB_ERR_PART_MISSING,
                    "is missing; a shell cuts the string at its first ';' unless it is in quotes",
                    err);
    }
    if (v[DEVICE_ID].len == 0 && !service) {
        return missing(DEVICE_ID, err);
    }
    if (v[GATEWAY].len != 0 && service) {
        return invalid(GATEWAY, "is for devices and modules, not for services; leave it out", err);
    }
    return check_secret(v, place, err);
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
    return iothub_name_value_split(&format, s, v, err);
}

static iothub_result parse(iothub_connection_string *out, const char *text, size_t struct_size,
                           secret_place place, iothub_error *err)
{
    mqc_span v[PART_COUNT] = { { NULL, 0 } };

    if (out == NULL || text == NULL) {
        return iothub_fail(err, IOTHUB_ERR_ARG, "connection string: none given");
    }
    iothub_result r = split(whole(text), v, err);
    if (r == IOTHUB_OK) {
        drop_false_flags(v);
        r = check_together(v, place, err);
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
        .x509 = has_certificate(v),
    };
    iothub_struct_out(out, struct_size, &cs, sizeof cs);
    return IOTHUB_OK;
}

iothub_result iothub_connection_string_parse_sized(iothub_connection_string *out, const char *text,
                                                   size_t struct_size, iothub_error *err)
{
    return parse(out, text, struct_size, IN_THE_STRING, err);
}

iothub_result connection_string_parse_names(iothub_connection_string *out, const char *text,
                                            iothub_error *err)
{
    return parse(out, text, sizeof *out, IN_THE_OPTIONS, err);
}

static iothub_result check_topic_id(enum part part, mqc_span id, iothub_error *err)
{
    return check_bytes(part, id, may_be_in_topic, ", which an MQTT topic cannot carry", err);
}

iothub_result iothub_connection_string_check_mqtt_sized(const iothub_connection_string *cs,
                                                        size_t struct_size, iothub_error *err)
{
    iothub_connection_string id;

    iothub_result r = iothub_connection_string_take(&id, cs, struct_size, err);
    if (r != IOTHUB_OK) {
        return r;
    }
    if (id.kind == IOTHUB_IDENTITY_SERVICE) {
        return invalid(KEY_NAME, "makes this a service string; a device string has DeviceId too",
                       err);
    }
    r = check_topic_id(DEVICE_ID, id.device_id, err);
    return r == IOTHUB_OK ? check_topic_id(MODULE_ID, id.module_id, err) : r;
}
