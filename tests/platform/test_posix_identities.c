#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/platform.h"

static void the_port_has_none_until_the_program_adds_them(void **state)
{
    (void)state;
    plat_platform p = *plat_posix();
    const plat_identity_config config = { .chain = { .file = "/nonexistent" } };
    plat_identity_fault fault;
    plat_identity *identity;

    assert_null(p.identities);
    p.identities = plat_posix_identities();
    assert_int_equal(p.identities->make(p.identities, &config, &identity, &fault),
                     PLAT_ERR_IDENTITY);
    assert_non_null(strstr(fault.text, "the file of the certificate chain cannot be used"));
    assert_null(identity);
    p.identities->release(identity); /* NULL does nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_has_none_until_the_program_adds_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
