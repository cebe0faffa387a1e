/* Tests connection strings: they are parsed, or refused with a text that does not contain the
 * key. */

#include "fuzz.h"
#include "iothub/sas.h"

#define SECRET "c2VjcmV0IG9mIHRo"

static void check_silent(const iothub_error *error)
{
    FUZZ_CHECK(strstr(error->text, SECRET) == NULL);
}

static void check_parsed(const iothub_connection_string *cs)
{
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    iothub_error error = { 0 };

    FUZZ_CHECK(cs->kind >= IOTHUB_IDENTITY_DEVICE && cs->kind <= IOTHUB_IDENTITY_SERVICE);
    FUZZ_CHECK(cs->host_name.len > 0 && cs->host_name.len <= IOTHUB_HOST_MAX);
    FUZZ_CHECK(cs->device_id.len <= IOTHUB_ID_MAX && cs->module_id.len <= IOTHUB_ID_MAX);
    FUZZ_CHECK((cs->kind == IOTHUB_IDENTITY_SERVICE) == (cs->device_id.len == 0));
    FUZZ_CHECK((cs->kind == IOTHUB_IDENTITY_MODULE) == (cs->module_id.len > 0));
    const bool has_key = cs->key.len > 0;
    const bool has_token = cs->signature.len > 0;
    FUZZ_CHECK(cs->x509 ? !has_key && !has_token : has_key != has_token);
    FUZZ_CHECK(iothub_sas_resource(cs, resource, sizeof resource) == IOTHUB_OK);
    if (iothub_connection_string_check_mqtt(cs, &error) != IOTHUB_OK) {
        check_silent(&error);
    }
}

static void parse(const char *text)
{
    iothub_connection_string cs;
    iothub_error error = { 0 };

    memset(&cs, 0xA5, sizeof cs);
    const iothub_connection_string before = cs;
    if (iothub_connection_string_parse(&cs, text, &error) == IOTHUB_OK) {
        check_parsed(&cs);
        return;
    }
    FUZZ_CHECK(memcmp(&cs, &before, sizeof cs) == 0);
    FUZZ_CHECK(error.text[0] != '\0');
    check_silent(&error);
}

/* Parses the string again with a known key that begins with SECRET, so that any part of it can
 * be found in a text. */
static void parse_with_secret(const char *text)
{
    static const char name[] = ";SharedAccessKey=";
    const char *at = strstr(text, name);

    if (at == NULL) {
        return;
    }
    size_t head = (size_t)(at - text) + sizeof name - 1;
    size_t size = strlen(text) + sizeof SECRET;
    char *with = malloc(size);
    FUZZ_CHECK(with != NULL);
    (void)snprintf(with, size, "%.*s%s%s", (int)head, text, SECRET, text + head);
    parse(with);
    free(with);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text((fuzz_input){ data, size });

    if (strstr(text, SECRET) == NULL) {
        parse(text);
        parse_with_secret(text);
    }
    free(text);
    return 0;
}
