#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/sas_text.h"

static void the_signed_text_is_the_encoded_resource_and_the_expiry(void **state)
{
    (void)state;
    char out[200];
    iothub_text t;
    sas_draft draft;

    iothub_text_init(&t, out, sizeof out);
    const mqc_span text = sas_text_begin(&t, mqc_span_str("h.net/devices/d 1"), 1700, &draft);

    assert_int_equal(text.len, strlen("h.net%2Fdevices%2Fd%201\n1700"));
    assert_memory_equal(text.ptr, "h.net%2Fdevices%2Fd%201\n1700", text.len);
}

static void the_signature_and_the_policy_are_percent_encoded(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *token;
    } cases[] = {
        { "", "SharedAccessSignature sr=h&sig=a%2Bb%2F%3D&se=17" },
        { "p&q", "SharedAccessSignature sr=h&sig=a%2Bb%2F%3D&se=17&skn=p%26q" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[200];
        iothub_text t;
        sas_draft draft;
        iothub_text_init(&t, out, sizeof out);
        (void)sas_text_begin(&t, mqc_span_str("h"), 17, &draft);
        sas_text_end(&t, &draft, mqc_span_str("a+b/="), 17, mqc_span_str(cases[i].policy));
        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        assert_string_equal(out, cases[i].token);
    }
}

static void a_buffer_that_is_too_small_overflows_at_every_size(void **state)
{
    (void)state;
    const size_t needed = sizeof "SharedAccessSignature sr=h&sig=a&se=17";

    for (size_t cap = 0; cap <= needed; cap++) {
        char out[64];
        iothub_text t;
        sas_draft draft;
        iothub_text_init(&t, out, cap);
        (void)sas_text_begin(&t, mqc_span_str("h"), 17, &draft);
        sas_text_end(&t, &draft, mqc_span_str("a"), 17, mqc_span_of(NULL, 0));
        assert_int_equal(iothub_text_finish(&t), cap < needed ? IOTHUB_ERR_NO_SPACE : IOTHUB_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signed_text_is_the_encoded_resource_and_the_expiry),
        cmocka_unit_test(the_signature_and_the_policy_are_percent_encoded),
        cmocka_unit_test(a_buffer_that_is_too_small_overflows_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
