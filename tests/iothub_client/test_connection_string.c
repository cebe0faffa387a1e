#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "iothub/connection_string.h"

#define K32    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HOST   "HostName=myhub.azure-devices.net"
#define DEVICE HOST ";DeviceId=device1"
#define KEY    "SharedAccessKey=" K32
#define TOKEN  "SharedAccessSignature sr=h%2Fdevices%2Fd&sig=AAAA&se=1"
#define ID_128                                                         \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LABEL63 "a23456789012345678901234567890123456789012345678901234567890123"

static bool is(mqc_span s, const char *z)
{
    return mqc_span_eq(s, mqc_span_str(z));
}

static void a_device_string_is_taken_apart(void **state)
{
    (void)state;
    static const char text[] = DEVICE ";GatewayHostName=localhost;" KEY;
    iothub_connection_string cs;

    assert_int_equal(iothub_connection_string_parse(&cs, text, NULL), IOTHUB_OK);

    assert_int_equal(cs.kind, IOTHUB_IDENTITY_DEVICE);
    assert_true(is(cs.host_name, "myhub.azure-devices.net"));
    assert_true(is(cs.gateway_host_name, "localhost"));
    assert_true(is(cs.device_id, "device1"));
    assert_true(is(cs.key, K32));
    assert_int_equal(cs.module_id.len + cs.policy_name.len + cs.signature.len, 0);
    assert_true((const char *)cs.host_name.ptr > text);
    assert_true((const char *)cs.host_name.ptr < text + sizeof text);
}

static void module_and_service_strings_are_recognised(void **state)
{
    (void)state;
    iothub_connection_string cs;

    assert_int_equal(iothub_connection_string_parse(&cs, DEVICE ";ModuleId=m1;" KEY, NULL),
                     IOTHUB_OK);
    assert_int_equal(cs.kind, IOTHUB_IDENTITY_MODULE);
    assert_true(is(cs.module_id, "m1"));

    assert_int_equal(
        iothub_connection_string_parse(&cs, HOST ";SharedAccessKeyName=iothubowner;" KEY, NULL),
        IOTHUB_OK);
    assert_int_equal(cs.kind, IOTHUB_IDENTITY_SERVICE);
    assert_true(is(cs.policy_name, "iothubowner"));
    assert_int_equal(cs.device_id.len, 0);
}

static void good_strings_are_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *text;
    } cases[] = {
        { "plain", DEVICE ";" KEY },
        { "any order", KEY ";DeviceId=d;" HOST },
        { "names in any case", "hostname=h;DEVICEID=d;sharedaccesskey=" K32 },
        { "semicolon at the end", DEVICE ";" KEY ";" },
        { "pasted with a newline", " \t" DEVICE ";" KEY "\r\n" },
        { "pasted with both", DEVICE ";" KEY ";\n" },
        { "token instead of key", DEVICE ";SharedAccessSignature=" TOKEN },
        { "service with token", HOST ";SharedAccessKeyName=p;SharedAccessSignature=" TOKEN },
        { "host without dot", "HostName=localhost;DeviceId=d;" KEY },
        { "IPv4", "HostName=127.0.0.1;DeviceId=d;" KEY },
        { "IPv6", "HostName=::1;DeviceId=d;" KEY },
        { "IPv6 of all digits", "HostName=0123:4567:89ab:cdef:CDEF:ABcd:fF:aA;DeviceId=d;" KEY },
        { "long IPv6", "HostName=fe80:0:0:0:0:0:192.168.100.100;DeviceId=d;" KEY },
        { "longest label", "HostName=" LABEL63 ".net;DeviceId=d;" KEY },
        { "one letter", "HostName=h;DeviceId=d;" KEY },
        { "digit first", "HostName=1hub.net;DeviceId=d;" KEY },
        { "every special of an id", HOST ";DeviceId=-.+%_#*?!(),=@$':;" KEY },
        { "longest id", HOST ";DeviceId=" ID_128 ";" KEY },
        { "id with equal signs", HOST ";DeviceId=a=b=;" KEY },
        { "key of one byte", DEVICE ";SharedAccessKey=AA==" },
        { "key of two bytes", DEVICE ";SharedAccessKey=AAA=" },
        { "key with the whole alphabet", DEVICE ";SharedAccessKey=a+/9" },
        { "white space around parts", " HostName=h ; DeviceId = d ;\tSharedAccessKey= " K32 " ; " },
        { "white space around a token", DEVICE ";SharedAccessSignature= " TOKEN " \r\n" },
        { "byte order mark", "\xEF\xBB\xBF" DEVICE ";" KEY },
        { ".NET's flag", DEVICE ";" KEY ";X509Cert=False" },
        { "flags in any case", DEVICE ";" KEY ";x509=false;X509CERT=FALSE;UseProvisioning=False" },
        { "device with a policy", DEVICE ";SharedAccessKeyName=device;" KEY },
        { "module with a policy", DEVICE ";ModuleId=m;SharedAccessKeyName=device;" KEY },
        { "policy and token", DEVICE ";SharedAccessKeyName=p;SharedAccessSignature=" TOKEN },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_connection_string cs;
        iothub_error err = { .text = "" };
        if (iothub_connection_string_parse(&cs, cases[i].text, &err) != IOTHUB_OK) {
            fail_msg("%s: %s", cases[i].why, err.text);
        }
        assert_int_equal(err.text[0], '\0');
    }
}

/* Strings that must be refused, with the expected code and words of the expected text. */
static const struct {
    const char *text;
    iothub_result code;
    const char *says;
} bad_strings[] = {
    { "", IOTHUB_ERR_PART_MISSING, "HostName" },
    { " \n", IOTHUB_ERR_PART_MISSING, "HostName" },
    { ";", IOTHUB_ERR_PART_MISSING, "HostName" },
    { "DeviceId=d;" KEY, IOTHUB_ERR_PART_MISSING, "HostName" },
    { HOST ";" KEY, IOTHUB_ERR_PART_MISSING, "DeviceId" },
    { HOST ";ModuleId=m;" KEY, IOTHUB_ERR_PART_MISSING, "DeviceId" },
    { HOST ";ModuleId=m;SharedAccessKeyName=p;" KEY, IOTHUB_ERR_PART_MISSING, "DeviceId" },
    { DEVICE, IOTHUB_ERR_PART_MISSING, "SharedAccessKey" },
    { HOST ";SharedAccessKeyName=p", IOTHUB_ERR_PART_MISSING, "SharedAccessKey" },
    { DEVICE ";" KEY ";" HOST, IOTHUB_ERR_PART_DUPLICATE, "HostName" },
    { DEVICE ";" KEY ";deviceid=x", IOTHUB_ERR_PART_DUPLICATE, "DeviceId" },
    { DEVICE ";" KEY ";" KEY, IOTHUB_ERR_PART_DUPLICATE, "SharedAccessKey" },
    { "HostName=;DeviceId=d;" KEY, IOTHUB_ERR_PART_EMPTY, "HostName" },
    { HOST ";DeviceId=;" KEY, IOTHUB_ERR_PART_EMPTY, "DeviceId" },
    { DEVICE ";SharedAccessKey=", IOTHUB_ERR_PART_EMPTY, "SharedAccessKey" },
    { DEVICE ";ModuleId=;" KEY, IOTHUB_ERR_PART_EMPTY, "ModuleId" },
    { DEVICE ";;" KEY, IOTHUB_ERR_PART_EMPTY, "part 3" },
    { ";" DEVICE ";" KEY, IOTHUB_ERR_PART_EMPTY, "part 1" },
    { DEVICE ";" KEY ";;", IOTHUB_ERR_PART_EMPTY, "part 4" },
    { DEVICE ";" KEY ";Foo=bar", IOTHUB_ERR_PART_UNKNOWN, "Foo" },
    { DEVICE ";" KEY ";Foo2=bar", IOTHUB_ERR_PART_UNKNOWN, "Foo2" },
    { DEVICE ";" KEY ";Foo=", IOTHUB_ERR_PART_UNKNOWN, "Foo" },
    { DEVICE ";" KEY ";DeviceScope=x", IOTHUB_ERR_PART_UNKNOWN, "DeviceScope" },
    { DEVICE ";" KEY ";ProtocolGatewayHostName=x", IOTHUB_ERR_PART_UNKNOWN,
      "ProtocolGatewayHostName" },
    { DEVICE ";" KEY ";DeviceId", IOTHUB_ERR_PART_UNKNOWN, "DeviceId is not followed by '='" },
    { DEVICE ";" KEY ";=x", IOTHUB_ERR_PART_UNKNOWN, "part 4" },
    { "Host Name=h;DeviceId=d;" KEY, IOTHUB_ERR_PART_UNKNOWN, "part 1 has an unknown name" },
    { "HostName=;DeviceId= ;" KEY, IOTHUB_ERR_PART_EMPTY, "HostName is empty" },
    { HOST ";DeviceId= \t;" KEY, IOTHUB_ERR_PART_EMPTY, "DeviceId is empty" },
    { DEVICE "; ;" KEY, IOTHUB_ERR_PART_EMPTY, "part 3 is empty; leave out one ';'" },
    { HOST, IOTHUB_ERR_PART_MISSING, "unless it is in quotes" },
    { "\"" DEVICE ";" KEY "\"", IOTHUB_ERR_PART_INVALID, "leave the quotes out" },
    { "'" DEVICE ";" KEY "'", IOTHUB_ERR_PART_INVALID, "leave the quotes out" },
    { DEVICE ";" KEY ";protocolgatewayhostname=x", IOTHUB_ERR_PART_UNKNOWN,
      "write GatewayHostName" },
    { DEVICE ";" KEY ";DeviceScope=x", IOTHUB_ERR_PART_UNKNOWN, "leave it out" },
    { DEVICE ";Key=x", IOTHUB_ERR_PART_UNKNOWN, "write SharedAccessKey" },
    { "Endpoint=sb://h/;SharedAccessKeyName=p;" KEY, IOTHUB_ERR_PART_UNKNOWN, "Event Hub" },
    { "DefaultEndpointsProtocol=https;AccountName=a", IOTHUB_ERR_PART_UNKNOWN, "storage" },
    { "IdScope=0ne1;RegistrationId=d", IOTHUB_ERR_PART_UNKNOWN, "iothub/provisioning.h" },
    { "what is this", IOTHUB_ERR_PART_UNKNOWN, "part 1 is not Name=Value" },
    { "HostName=my hub;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains a space" },
    { "HostName=h_b.net;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains '_'" },
    { "HostName=h:8883;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=https://h;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=a:b:g;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=a:b:G;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=a:b:@;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=a:b:`;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=fade:1;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=fe80:0:0:0:0:0:192.168.100.100.100000000000000;DeviceId=d;" KEY,
      IOTHUB_ERR_PART_INVALID, "HostName contains ':'" },
    { "HostName=h/x;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName contains '/'" },
    { "HostName=.net;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName" },
    { "HostName=h..net;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName" },
    { "HostName=h.net.;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName" },
    { "HostName=-h.net;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName" },
    { "HostName=h-.net;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "HostName" },
    { "HostName=" LABEL63 "x.net;DeviceId=d;" KEY, IOTHUB_ERR_PART_INVALID, "63 characters" },
    { "HostName=" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 ";DeviceId=d;" KEY,
      IOTHUB_ERR_PART_INVALID, "253 bytes" },
    { "HostName=h\xC3\xBC"
      "b;DeviceId=d;" KEY,
      IOTHUB_ERR_PART_INVALID, "non-ASCII" },
    { DEVICE ";GatewayHostName=a/b;" KEY, IOTHUB_ERR_PART_INVALID, "GatewayHostName" },
    { HOST ";DeviceId=a/b;" KEY, IOTHUB_ERR_PART_INVALID, "DeviceId contains '/'" },
    { HOST ";DeviceId=a b;" KEY, IOTHUB_ERR_PART_INVALID, "DeviceId contains a space" },
    { HOST ";DeviceId=a\tb;" KEY, IOTHUB_ERR_PART_INVALID, "DeviceId contains a control" },
    { HOST ";DeviceId=\xC3\xBC;" KEY, IOTHUB_ERR_PART_INVALID, "DeviceId contains" },
    { HOST ";DeviceId=" ID_128 "x;" KEY, IOTHUB_ERR_PART_INVALID, "DeviceId is longer" },
    { DEVICE ";ModuleId=a&b;" KEY, IOTHUB_ERR_PART_INVALID, "ModuleId contains '&'" },
    { HOST ";SharedAccessKeyName=a b;" KEY, IOTHUB_ERR_PART_INVALID, "SharedAccessKeyName" },
    { HOST ";GatewayHostName=g;SharedAccessKeyName=p;" KEY, IOTHUB_ERR_PART_INVALID,
      "GatewayHostName" },
    { DEVICE ";" KEY ";SharedAccessSignature=" TOKEN, IOTHUB_ERR_PART_INVALID,
      "SharedAccessSignature and SharedAccessKey" },
    { DEVICE ";SharedAccessSignature=nonsense", IOTHUB_ERR_PART_INVALID, "SharedAccessSignature" },
    { DEVICE ";SharedAccessSignature=SharedAccessSignature sr=a&se=1", IOTHUB_ERR_PART_MISSING,
      "SharedAccessSignature: sig" },
    { DEVICE ";SharedAccessKey=AAA", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=A===", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=====", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=AA==AAAA", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=AB==", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=AAB=", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=AA A", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";SharedAccessKey=AA-_", IOTHUB_ERR_KEY, "SharedAccessKey is not base64" },
    { DEVICE ";X509Cert=TRUE;" KEY, IOTHUB_ERR_PART_INVALID,
      "SharedAccessKey and x509=true exclude each other" },
    { DEVICE ";x509=true;SharedAccessSignature=SharedAccessSignature sr=a&sig=YQ==&se=1",
      IOTHUB_ERR_PART_INVALID, "SharedAccessSignature and x509=true exclude" },
    { DEVICE ";x509=false", IOTHUB_ERR_PART_MISSING, "SharedAccessKey" },
    { DEVICE ";x509=no;" KEY, IOTHUB_ERR_PART_INVALID, "x509 can only be true or false" },
    { DEVICE ";" KEY ";x509=fals\x05", IOTHUB_ERR_PART_INVALID, "x509 can only" },
    { DEVICE ";UseProvisioning=true", IOTHUB_ERR_UNSUPPORTED,
      "UseProvisioning is for a device that does not know its hub yet; see iothub/provisioning.h" },
};

static void bad_strings_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_strings / sizeof bad_strings[0]; i++) {
        iothub_connection_string cs;
        iothub_error err = { .text = "" };
        iothub_result r = iothub_connection_string_parse(&cs, bad_strings[i].text, &err);
        if (strlen(err.text) + 1 >= sizeof err.text || /* cut */
            r != bad_strings[i].code || err.code != r ||
            strstr(err.text, bad_strings[i].says) == NULL) {
            fail_msg("%s: got %s, \"%s\"", bad_strings[i].text, iothub_result_str(r), err.text);
        }
        assert_null(strstr(err.text, "AAECAw"));
    }
}

static void a_missing_string_is_an_argument_error(void **state)
{
    (void)state;
    iothub_connection_string cs;
    iothub_error err;

    assert_int_equal(iothub_connection_string_parse(&cs, NULL, &err), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_connection_string_parse(NULL, "x", &err), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_connection_string_parse(&cs, "x", NULL), IOTHUB_ERR_PART_UNKNOWN);
}

/* The text never contains the key, in whatever way the string is damaged. */
static void no_error_text_shows_any_of_the_key(void **state)
{
    (void)state;
    static const char secret[] = "c2VjcmV0a2V5c2VjcmV0a2V5c2VjcmV0a2V5";
    static const char *const damaged[] = {
        DEVICE ";%s",
        DEVICE ";%s=",
        DEVICE ";%s==",
        DEVICE ";SharedAccessKey:%s",
        DEVICE ";SharedAccessKey%s",
        DEVICE ";SharedAccessKey%s=",
        DEVICE ";SharedAccessKey =%s",
        DEVICE ";SharedAccessKey=%s===",
        DEVICE ";SharedAccessKey=%s ",
        DEVICE ";SharedAccessKey=%s;SharedAccessKey=%s",
        DEVICE ";SharedAccessSignature=%s",
        DEVICE ";SharedAccessSignature=SharedAccessSignature sr=a&sig=%s=&se=1",
        DEVICE ";SharedAccessSignature=SharedAccessSignature sr=a&%s&se=1",
        DEVICE ";SharedAccessSignature=SharedAccessSignature sr=a&sig%s=&se=1",
        DEVICE ";SharedAccessSignature=SharedAccessSignature sr=a&sig=AAAA&se=%s",
        "%s",
        "%s=",
        "HostName=%s==;" KEY,
        "HostName=h.net;DeviceId=d;x509=%s",
    };

    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        char text[512];
        char piece[9] = "";
        iothub_connection_string cs;
        iothub_error err;
        (void)snprintf(text, sizeof text, damaged[i], secret, secret);

        if (iothub_connection_string_parse(&cs, text, &err) == IOTHUB_OK) {
            continue;
        }
        for (size_t at = 0; at + 8 < sizeof secret; at++) {
            memcpy(piece, secret + at, 8);
            if (strstr(err.text, piece) != NULL) {
                fail_msg("%s: shown as \"%s\"", text, err.text);
            }
        }
    }
}

static void every_truncation_is_refused_or_complete(void **state)
{
    (void)state;
    static const char full[] = DEVICE ";ModuleId=m1;" KEY;
    char text[sizeof full];

    for (size_t len = 0; len + 1 < sizeof full; len++) {
        iothub_connection_string cs;
        iothub_error err = { .text = "" };
        memcpy(text, full, len);
        text[len] = '\0';

        iothub_result r = iothub_connection_string_parse(&cs, text, &err);

        if (r == IOTHUB_OK) { /* the key was cut where base64 may end */
            assert_true(cs.key.len > 0 && cs.key.len % 4 == 0);
        } else {
            assert_int_equal(err.code, r);
            assert_true(strlen(err.text) > 20);
        }
    }
}

static void every_byte_in_an_id_is_accepted_or_refused_by_the_hubs_rule(void **state)
{
    (void)state;
    static const char allowed[] = "-.+%_#*?!(),=@$':";

    for (int byte = 1; byte < 256; byte++) {
        char text[] = HOST ";" KEY ";DeviceId=a?b";
        iothub_connection_string cs;
        bool alnum = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z');
        text[sizeof text - 3] = (char)byte;

        iothub_result r = iothub_connection_string_parse(&cs, text, NULL);

        if (byte == ';') {
            assert_int_equal(r, IOTHUB_ERR_PART_UNKNOWN);
        } else {
            bool good = alnum || strchr(allowed, byte) != NULL;
            assert_int_equal(r, good ? IOTHUB_OK : IOTHUB_ERR_PART_INVALID);
        }
    }
}

/* An unknown name could also be a key that lost its own name, so it is shown only if it looks
 * like a name. */
static void an_unknown_name_is_shown_if_it_is_of_letters_and_digits(void **state)
{
    (void)state;
    for (unsigned byte = 0x21; byte < 0x7F; byte++) {
        for (size_t at = 0; at < 4; at++) {
            iothub_connection_string cs;
            iothub_error err = { .text = "" };
            char name[] = "Zaz9";
            char text[200];
            bool alnum = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= 'a' && byte <= 'z');
            name[at] = (char)byte;
            snprintf(text, sizeof text, DEVICE ";" KEY ";%s=x", name);
            if (byte == ';' || byte == '=') {
                continue;
            }
            assert_int_equal(iothub_connection_string_parse(&cs, text, &err),
                             IOTHUB_ERR_PART_UNKNOWN);
            assert_int_equal(strstr(err.text, name) != NULL, alnum);
        }
    }
    for (size_t len = 30; len <= 35; len++) { /* a name that is as long as a key is not shown */
        iothub_connection_string cs;
        iothub_error err = { .text = "" };
        char name[36];
        char text[200];
        memset(name, 'n', len);
        name[len] = '\0';
        snprintf(text, sizeof text, DEVICE ";" KEY ";%s=x", name);
        assert_int_equal(iothub_connection_string_parse(&cs, text, &err), IOTHUB_ERR_PART_UNKNOWN);
        assert_int_equal(strstr(err.text, name) != NULL, len <= 32);
    }
}

/* The value is "true" or "false"; each letter is compared. */
static void a_flag_is_one_of_two_words(void **state)
{
    (void)state;
    static const char word[] = "false";
    for (size_t at = 0; at < strlen(word); at++) {
        for (unsigned byte = 0x21; byte < 0x7F; byte++) {
            iothub_connection_string cs;
            char text[200];
            char changed[] = "false";
            bool same = (char)(byte | 0x20) == word[at];
            changed[at] = (char)byte;
            snprintf(text, sizeof text, DEVICE ";" KEY ";x509=%s", changed);
            if (byte == ';' || byte == '=') {
                continue;
            }
            if ((iothub_connection_string_parse(&cs, text, NULL) == IOTHUB_OK) != same) {
                fail_msg("%s", text);
            }
        }
    }
}

static void a_policy_name_is_of_visible_ascii(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        iothub_connection_string cs;
        char text[200];
        snprintf(text, sizeof text, DEVICE ";" KEY ";SharedAccessKeyName=p%cp", (int)byte);
        if (byte == ';') {
            continue;
        }
        assert_int_equal(iothub_connection_string_parse(&cs, text, NULL),
                         byte > 0x20 && byte < 0x7F ? IOTHUB_OK : IOTHUB_ERR_PART_INVALID);
    }
}

static void keys_up_to_1024_bytes_are_accepted(void **state)
{
    (void)state;
    char text[2048];
    const size_t head = strlen(DEVICE ";SharedAccessKey=");
    iothub_connection_string cs;

    memset(text, 'A', sizeof text);
    memcpy(text, DEVICE ";SharedAccessKey=", head);
    /* 341 groups of 3 bytes and one more byte: 1024 bytes, the longest key. */
    memcpy(text + head + 1364, "AA==", 5);
    assert_int_equal(iothub_connection_string_parse(&cs, text, NULL), IOTHUB_OK);
    memcpy(text + head + 1364, "AAA=", 5);
    assert_int_equal(iothub_connection_string_parse(&cs, text, NULL), IOTHUB_ERR_KEY);
}

static void mqtt_refuses_wildcards_in_ids_and_services(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says; /* NULL: accepted */
    } cases[] = {
        { DEVICE ";" KEY, NULL },
        { HOST ";DeviceId=-.%_*?!(),=@$':;" KEY, NULL },
        { HOST ";DeviceId=a+b;" KEY, "DeviceId contains '+'" },
        { HOST ";DeviceId=a#b;" KEY, "DeviceId contains '#'" },
        { DEVICE ";ModuleId=#;" KEY, "ModuleId contains '#'" },
        { DEVICE ";ModuleId=m+;" KEY, "ModuleId contains '+'" },
        { HOST ";SharedAccessKeyName=p;" KEY, "service string" },
        { DEVICE ";SharedAccessKeyName=p;" KEY, NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_connection_string cs;
        iothub_error err = { .text = "" };
        assert_int_equal(iothub_connection_string_parse(&cs, cases[i].text, &err), IOTHUB_OK);

        iothub_result r = iothub_connection_string_check_mqtt(&cs, &err);

        assert_int_equal(r, cases[i].says == NULL ? IOTHUB_OK : IOTHUB_ERR_PART_INVALID);
        assert_non_null(strstr(err.text, cases[i].says != NULL ? cases[i].says : ""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_string_is_taken_apart),
        cmocka_unit_test(module_and_service_strings_are_recognised),
        cmocka_unit_test(good_strings_are_accepted),
        cmocka_unit_test(bad_strings_are_refused_by_name),
        cmocka_unit_test(a_missing_string_is_an_argument_error),
        cmocka_unit_test(no_error_text_shows_any_of_the_key),
        cmocka_unit_test(every_truncation_is_refused_or_complete),
        cmocka_unit_test(every_byte_in_an_id_is_accepted_or_refused_by_the_hubs_rule),
        cmocka_unit_test(an_unknown_name_is_shown_if_it_is_of_letters_and_digits),
        cmocka_unit_test(a_flag_is_one_of_two_words),
        cmocka_unit_test(a_policy_name_is_of_visible_ascii),
        cmocka_unit_test(keys_up_to_1024_bytes_are_accepted),
        cmocka_unit_test(mqtt_refuses_wildcards_in_ids_and_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
