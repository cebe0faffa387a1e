#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registry/token.h"

#define K32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define DEVICE1                                                            \
    "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1" \
    "&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000000"

static bool parse(const char *text, hub_token *t)
{
    hub_fault fault;
    return hub_token_parse(text, t, &fault) == HUB_OK;
}

static void known_tokens_are_genuine(void **state)
{
    (void)state;
    static const struct {
        const char *token;
        const char *key;
    } cases[] = {
        { DEVICE1, K32 },
        { DEVICE1 "&skn=", K32 },
        { "SharedAccessSignature "
          "sr=uri&sig=kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk%3D&se=12345",
          "cGFzc3dvcmQ=" },
        { "SharedAccessSignature se=1700000000&skn=iothubowner&"
          "sig=iIzEw6hi6GK79RY5jNXO6QeQkSL%2FAx4zTmy44X2G1VY%3d&sr=myhub.azure-devices.net",
          K32 },
        { "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdev%2B1%23a%25b%3Ac%40d"
          "&sig=xgN6MyMHzjbyBmhjThphsbbkEj3Q%2FR0nNHrklZYBWvg%3D&se=1700000000",
          K32 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_token t;
        assert_true(parse(cases[i].token, &t));
        if (!hub_token_signed_by(&t, cases[i].key)) {
            fail_msg("not genuine: %s", cases[i].token);
        }
        hub_token_free(&t);
    }
}

static void no_changed_token_is_genuine(void **state)
{
    (void)state;
    char text[] = DEVICE1;
    const char *hex = strstr(text, "%3D"); /* its hex digits may be upper or lower case */

    for (size_t i = strlen("SharedAccessSignature "); i < sizeof text - 1; i++) {
        hub_token t;
        char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        if (text + i < hex && parse(text, &t)) {
            if (hub_token_signed_by(&t, K32)) {
                fail_msg("genuine: %s", text);
            }
            hub_token_free(&t);
        }
        text[i] = kept;
    }
}

static void no_truncated_token_is_accepted(void **state)
{
    (void)state;

    for (size_t len = 0; len < sizeof DEVICE1 - 1; len++) {
        char cut[sizeof DEVICE1] = "";
        hub_token t;
        memcpy(cut, DEVICE1, len);
        if (parse(cut, &t)) {
            if (hub_token_signed_by(&t, K32)) {
                fail_msg("accepted: %s", cut);
            }
            hub_token_free(&t);
        }
    }
}

static void broken_tokens_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "sr=a&sig=QQ%3D%3D&se=1",
        "SharedAccessSignature ",
        "SharedAccessSignature sr=a&sig=QQ%3D%3D",
        "SharedAccessSignature sr=a&se=1",
        "SharedAccessSignature sig=QQ%3D%3D&se=1",
        "SharedAccessSignature sr=a&sr=a&sig=QQ%3D%3D&se=1",
        "SharedAccessSignature sr=a&sig=QQ%3D%3D&se=1&x=y",
        "SharedAccessSignature sr=&sig=QQ%3D%3D&se=1",
        "SharedAccessSignature sr=a&sig=QQ&se=1",
        "SharedAccessSignature sr=a&sig=QQ%3D%3D&se=-1",
        "SharedAccessSignature sr=a&sig=QQ%3D%3D&se=1x",
        "SharedAccessSignature sr=a&sig=QQ%3D%3D&se=",
        "SharedAccessSignature sr=%zz&sig=QQ%3D%3D&se=1",
        "SharedAccessSignature sr&sig=QQ%3D%3D&se=1",
        "SharedAccessSignature sr=a&sig=QQ%3D%3D&se=99999999999999999999",
        "sharedaccesssignature sr=a&sig=QQ%3D%3D&se=1",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hub_token t;
        if (parse(bad[i], &t)) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void a_scope_covers_whole_segments(void **state)
{
    (void)state;
    static const struct {
        const char *sr;
        const char *resource;
        bool covers;
    } cases[] = {
        { "hub%2Fdevices%2Fd", "hub/devices/d", true },
        { "HUB%2fdevices%2fd", "hub/devices/d", true },
        { "hub", "hub/devices/d", true },
        { "hub%2Fdevices", "hub/devices/d", true },
        { "hub%2Fdevices%2F", "hub/devices/d", true },
        { "hub%2Fdevices%2Fd", "hub/devices/d/modules/m", true },
        { "hub%2Fdevices%2Fd", "hub/devices/dd", false },
        { "hub%2Fdevices%2FD", "hub/devices/d", false },
        { "hub%2Fdevices%2Fdd", "hub/devices/d", false },
        { "hub%2Fdevices%2Fd%2Fmodules%2Fm", "hub/devices/d", false },
        { "hu", "hub/devices/d", false },
        { "hub2", "hub/devices/d", false },
        { "other%2Fdevices%2Fd", "hub/devices/d", false },
        { "%2Fdevices", "hub/devices/d", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_token t;
        char *text = hub_format("SharedAccessSignature sr=%s&sig=QQ%%3D%%3D&se=1", cases[i].sr);
        assert_true(parse(text, &t));
        if (hub_token_covers(&t, cases[i].resource) != cases[i].covers) {
            fail_msg("%s for %s", cases[i].sr, cases[i].resource);
        }
        hub_token_free(&t);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_tokens_are_genuine),
        cmocka_unit_test(no_changed_token_is_genuine),
        cmocka_unit_test(no_truncated_token_is_accepted),
        cmocka_unit_test(broken_tokens_are_refused),
        cmocka_unit_test(a_scope_covers_whole_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
