#include "hub_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "dps/dps_session.h"

#define SCOPE   "0ne0000ABCD"
#define VERSION "/api-version=2019-03-31"

static dps_session *new_session(const char *client_id, const char *user_name, const char *password,
                                hub_fault *fault)
{
    const hub_credentials c = { .user_name = user_name, .password = password };
    return dps_session_new(&c, client_id, fault);
}

static void a_login_to_the_service_is_known_by_its_user_name(void **state)
{
    static const struct {
        const char *client_id;
        const char *user_name;
        bool wanted;
    } cases[] = {
        { "dev", SCOPE "/registrations/dev" VERSION, true },
        { "dev", SCOPE "/registrations/dev" VERSION "&ClientVersion=x", true },
        { "other", SCOPE "/registrations/dev/api-version=", true },
        { "dev", "hub.test/dev/?api-version=2021-04-12", false },
        { "dev", "hub.test/dev" VERSION, false },
        { "registrations", "hub.test/registrations/?api-version=2021-04-12", false },
        { "registrations", "hub.test/registrations" VERSION, false },
        { "registrations/m", "hub.test/registrations/m" VERSION, false },
        { "dev", SCOPE "/registrations/dev", false },
        { "dev", "/registrations/dev" VERSION, false },
        { "dev", "", false },
        { "dev", NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(dps_session_wanted(cases[i].client_id, cases[i].user_name),
                         cases[i].wanted);
    }
}

static void a_login_with_another_id_or_without_a_version_is_refused(void **state)
{
    static const struct {
        const char *client_id;
        const char *user_name;
    } cases[] = {
        { "other", SCOPE "/registrations/dev" VERSION },
        { "de", SCOPE "/registrations/dev" VERSION },
        { "dev", SCOPE "/registrations/dev/api-version=" },
        { "dev", SCOPE "/registrations/dev/api-version=2019" },
        { "dev", SCOPE "/registrations/dev/api-version=latest" },
        { "a#b", SCOPE "/registrations/a#b" VERSION },
        { "-a", SCOPE "/registrations/-a" VERSION },
        { "", SCOPE "/registrations/" VERSION },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_fault fault = { 0 };
        assert_null(new_session(cases[i].client_id, cases[i].user_name, "x", &fault));
        assert_int_equal(fault.code, HUB_ERR_UNAUTHORIZED);
        assert_true(fault.text[0] != '\0');
    }
}

static void the_parts_of_the_login_are_kept(void **state)
{
    hub_fault fault;
    dps_session *s = new_session("DEV", SCOPE "/registrations/Dev" VERSION, NULL, &fault);

    (void)state;
    assert_string_equal(s->id_scope, SCOPE);
    assert_string_equal(s->registration_id, "Dev");
    assert_false(s->has_token);
    assert_false(s->subscribed);
    dps_session_subscribe(s);
    assert_true(s->subscribed);
    dps_session_unsubscribe(s);
    assert_false(s->subscribed);
    dps_session_free(s);
}

/* Signs a token and reports whether the session accepts it at FIXTURE_NOW_S. */
static bool accepts(const char *resource, const char *policy, int64_t expiry_s, const char *signer,
                    const char *key)
{
    char *token = fixture_token(resource, signer, expiry_s, policy);
    hub_fault fault;
    dps_session *s = new_session("Dev", SCOPE "/registrations/Dev" VERSION, token, &fault);
    bool accepted = dps_session_signed_by(s, key, FIXTURE_NOW_S);

    free(token);
    dps_session_free(s);
    return accepted;
}

static void a_token_must_be_for_this_device_for_a_registration_and_fresh(void **state)
{
    char *key = hub_random_key();
    char *other = hub_random_key();
    const int64_t later = FIXTURE_NOW_S + 1;

    (void)state;
    assert_true(accepts(SCOPE "/registrations/Dev", "registration", later, key, key));
    assert_true(accepts(SCOPE "/registrations/Dev", NULL, later, key, key));
    assert_true(accepts("0NE0000abcd/registrations/dev", "registration", later, key, key));
    assert_false(accepts(SCOPE "/registrations/Dev", "registration", later, key, other));
    assert_false(accepts(SCOPE "/registrations/Dev", "registration", later, other, key));
    assert_false(accepts(SCOPE "/registrations/Dev", "registration", FIXTURE_NOW_S, key, key));
    assert_false(accepts(SCOPE "/registrations/Dev", "iothubowner", later, key, key));
    assert_false(accepts(SCOPE "/registrations/Dev2", "registration", later, key, key));
    assert_false(accepts(SCOPE "/registrations", "registration", later, key, key));
    assert_false(accepts(SCOPE, "registration", later, key, key));
    assert_false(accepts("0ne0000ABCE/registrations/Dev", "registration", later, key, key));
    free(key);
    free(other);
}

static void a_password_that_is_no_token_opens_nothing(void **state)
{
    static const char *const passwords[] = { "", "x", "SharedAccessSignature ",
                                             "SharedAccessSignature sr=a&se=1" };
    char *key = hub_random_key();

    (void)state;
    for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++) {
        hub_fault fault;
        dps_session *s =
            new_session("Dev", SCOPE "/registrations/Dev" VERSION, passwords[i], &fault);
        assert_false(dps_session_signed_by(s, key, 0));
        dps_session_free(s);
    }
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_to_the_service_is_known_by_its_user_name),
        cmocka_unit_test(a_login_with_another_id_or_without_a_version_is_refused),
        cmocka_unit_test(the_parts_of_the_login_are_kept),
        cmocka_unit_test(a_token_must_be_for_this_device_for_a_registration_and_fresh),
        cmocka_unit_test(a_password_that_is_no_token_opens_nothing),
    };
    hub_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
