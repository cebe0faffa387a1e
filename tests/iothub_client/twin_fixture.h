#ifndef TEST_TWIN_FIXTURE_H
#define TEST_TWIN_FIXTURE_H

/** @file  Twin requests on a client_fixture, and the hub's answers to them. */

#include "client_fixture.h"

/** Accepted, or the test fails.  The tag of a report is f. */
iothub_op twin_get(client_fixture *f);
iothub_op twin_report(client_fixture *f, const char *json);

const iothub_done *fixture_last_done(const client_fixture *f);

/** Feed an answer; more is the end of its topic, e.g. "&$version=4". */
void twin_answer(client_fixture *f, int status, uint32_t rid, const char *more, const char *body);

/** Feed a desired change {"v":version}. */
void twin_patch(client_fixture *f, unsigned version);

/** GETs that reached the hub, and the request id of a twin request. */
unsigned twin_gets(const client_fixture *f);
uint32_t twin_rid(const fake_hub_publish *p);

#endif
