#ifndef TEST_TLS_FIXTURE_H
#define TEST_TLS_FIXTURE_H

/**
 * @file
 * Helpers for all tests of the TLS stream: good certificates, a stream under test over a scripted
 * stream, a server at its other end, and the steps that drive both.
 */

#include "test_pki.h"
#include "tls_peer.h"
#include "wolfssl/tls/tls_context.h"
#include "wolfssl/tls/tls_stream.h"

#define HOST      "hub.example"
#define NO_LENGTH -1

extern pki_cert root, rsa_root, intermediate, good, good_rsa;
extern const char *ca_file;

extern scripted_stream wire;
extern plat_tls_stream tls;
extern plat_stream *const s;
extern tls_peer peer;
extern tls_tickets *tickets; /* tickets of the next server; NULL: the server resumes no session */

extern const pki_spec good_spec;
extern const pki_spec ca_spec;
extern const tls_peer_config good_config;

pki_spec root_spec(const char *name, pki_key key);

/** Set-up function of a test group. */
int make_everything(void **state);
int remove_everything(void **state);

/** Calls plat_tls_init with the certificates of a file as the only roots. */
plat_result tls_init(plat_tls_stream *stream, plat_stream *lower, const char *file);

/** Set-up function of a test. */
int make_stream(void **state);
int free_stream(void **state);

/** Starts with a new stream, without sessions or anything else of earlier connections. */
void restart_stream(void);

#define WITH_STREAM(test) cmocka_unit_test_setup_teardown(test, make_stream, free_stream)

/**
 * Drives both ends until the client is open or has failed; returns WOULD_BLOCK if both wait for
 * each other.
 */
plat_result shake_hands(plat_stage *stage);

/** Port 8883. */
plat_result connect_to(const char *host, const tls_peer_config *config);
void disconnect(void);

/** Expects that a connection fails with the given result and returns no byte of data. */
void expect_refusal(const char *what, const char *host, const tls_peer_config *config,
                    plat_result wanted);

/** Expects that bytes pass in both directions over the open connection. */
void expect_echo(const char *what);

/** Expects that a connection can be opened, used and closed. */
void expect_success(const char *what, const char *host, const tls_peer_config *config);

#endif
