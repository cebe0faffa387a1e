#ifndef TEST_TWIN_FIXTURE_H
#define TEST_TWIN_FIXTURE_H

/**
 * @file
 * Twin requests on a client_fixture, and the hub's answers to them.
 */

#include "client_fixture.h"

/**
 * Makes a request and returns its op; the test fails if it is refused. The tag of a report is f.
 */
iothub_op twin_get(client_fixture *f);
iothub_op twin_report(client_fixture *f, const char *json);

const iothub_done *fixture_last_done(const client_fixture *f);

/** Sends an answer to the client; `more` is the end of its topic, for example "&$version=4". */
void twin_answer(client_fixture *f, int status, uint32_t rid, const char *more, const char *body);

/** Sends the change {"v":version} of the desired properties to the client. */
void twin_patch(client_fixture *f, unsigned version);

/**
 * twin_gets returns the number of GETs that reached the hub, twin_rid the request id of a twin
 * request.
 */
unsigned twin_gets(const client_fixture *f);
uint32_t twin_rid(const fake_hub_publish *p);

#endif
