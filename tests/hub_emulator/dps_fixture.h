#ifndef DPS_FIXTURE_H
#define DPS_FIXTURE_H

/* A hub fixture with a provisioning service, which answers "assigning" once, and devices that
 * register. */

#include "hub/hub_clients.h"
#include "hub_fixture.h"

#define DPS_FIXTURE_HOST "hub.test"

/* Declares a test that uses this fixture. */
#define DPS_TEST(name) cmocka_unit_test_setup_teardown(name, dps_fixture_setup, fixture_teardown)

int dps_fixture_setup(void **state);
void dps_fixture_open(hub_fixture *f);

/* Creates an enrolment with symmetric keys. members is the text of further members, or "". */
const dps_enrollment *dps_fixture_enroll(hub_fixture *f, bool group, const char *id,
                                         const char *members);

/* Connects a device that logs in with this token (NULL: none), and subscribes. */
void dps_fixture_connect(hub_fixture *f, const void *key, const char *id, const char *token);
/* Connects a device that logs in with a token signed with the key of an individual enrolment. */
void dps_fixture_connect_enrolled(hub_fixture *f, const void *key, const char *id);
/* Makes a token that is valid for an hour, on the heap. */
char *dps_fixture_token(const hub_fixture *f, const char *id, const char *signing_key);

/* The answer to a request. status is 0 if there was none; retry_after is -1 if it was not sent.
 * The caller frees the body. */
typedef struct dps_answer {
    int status;
    int retry_after;
    cJSON *json; /* NULL if the body is not JSON */
} dps_answer;

dps_answer dps_fixture_register(hub_fixture *f, const void *key, const char *body);
dps_answer dps_fixture_poll(hub_fixture *f, const void *key, const char *operation);
/* Registers a device and polls until the answer is not 202. */
dps_answer dps_fixture_finish(hub_fixture *f, const void *key, const char *body);

/* Returns a member by its path, such as "registrationState.status"; "" if it is not a text. */
const char *dps_member(const cJSON *json, const char *path);

#endif
