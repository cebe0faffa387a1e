/* Counts the tables of curve points that a handshake makes in wolfSSL. When wolfSSL meets a
 * point for the first time, it allocates room for 256 points; when it meets the point again, it
 * computes the table. If as many rooms are allocated as operations use points, no table was
 * computed. The server runs in a thread of its own, so it has tables of its own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>

#include "tls_fixture.h"
#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/tls/tls_context.h"

#include <wolfssl/wolfcrypt/memory.h>

/* If WOLFSSL_HAVE_SP_ECC is defined, as in Debian unstable, wolfSSL has separate code for P-256
 * without these tables. */
#if defined(FP_ECC) && defined(HAVE_THREAD_LS) && !defined(WOLFSSL_HAVE_SP_ECC)
#define BUILD_HAS_TABLES true
#else
#define BUILD_HAS_TABLES false
#endif

enum { POINTS_OF_A_TABLE = 256, TABLE = 800 * 1024, HANDSHAKE = 256 * 1024 };

/* --- the heap of the client --- */

static struct {
    bool on_duty;
    size_t points; /* number of points for which room was allocated so far */
    long in_use;   /* growth of the heap in bytes since the start */
    long peak;
} heap;

static long size_of(void *block)
{
    return (long)malloc_usable_size(block);
}

static void *counting_malloc(size_t size)
{
    void *block = malloc(size);
    if (heap.on_duty && block != NULL) {
        heap.points += size == sizeof(ecc_point) ? 1 : 0;
        heap.in_use += size_of(block);
        heap.peak = heap.in_use > heap.peak ? heap.in_use : heap.peak;
    }
    return block;
}

static void counting_free(void *block)
{
    heap.in_use -= heap.on_duty ? size_of(block) : 0;
    free(block);
}

static void *counting_realloc(void *block, size_t size)
{
    heap.in_use -= heap.on_duty ? size_of(block) : 0;
    block = realloc(block, size);
    heap.in_use += heap.on_duty ? size_of(block) : 0;
    return block;
}

static int count_memory(void **state)
{
    make_stream(state);
    wc_ecc_fp_free(); /* frees the tables that making the certificates has left */
    assert_int_equal(wolfSSL_SetAllocators(counting_malloc, counting_free, counting_realloc), 0);
    return 0;
}

static int stop_counting(void **state)
{
    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
    return free_stream(state);
}

/* --- both ends --- */

static void *step_peer(void *unused)
{
    (void)unused;
    tls_peer_step(&peer);
    wc_ecc_fp_free();
    return NULL;
}

static void let_peer_work(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, step_peer, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static plat_result step_client(void)
{
    plat_stage stage;
    heap.on_duty = true;
    plat_result r = s->ops->progress(s, 0, &stage);
    heap.on_duty = false;
    return r;
}

/* Connects and returns the number of tables for which room was made. */
static size_t connect_and_count(const tls_peer_config *config)
{
    plat_result r;
    heap.points = 0;
    heap.in_use = heap.peak = 0;
    restart_stream(); /* removes the saved sessions */
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, config, NULL);
    while ((r = step_client()) == PLAT_WOULD_BLOCK) {
        let_peer_work();
    }
    if (r != PLAT_OK) {
        fail_msg("%s", s->ops->detail(s));
    }
    return heap.points / POINTS_OF_A_TABLE;
}

/* --- servers --- */

static pki_cert second, leaf_of_two, leaf_of_three;

static void make_chains(void)
{
    pki_spec spec = good_spec;
    spec.issuer = &intermediate;
    spec.issuer_key = PKI_INTERMEDIATE;
    pki_make(&leaf_of_two, &spec);
    pki_spec ca = ca_spec;
    ca.name = "Second Intermediate";
    ca.key = PKI_OTHER;
    ca.issuer = &intermediate;
    ca.issuer_key = PKI_INTERMEDIATE;
    pki_make(&second, &ca);
    spec.issuer = &second;
    spec.issuer_key = PKI_OTHER;
    pki_make(&leaf_of_three, &spec);
}

static tls_peer_config server(size_t chain_len, int group, int version)
{
    static const pki_cert *const leaves[] = { &good, &leaf_of_two, &leaf_of_three };
    tls_peer_config c = good_config;
    c.chain[0] = leaves[chain_len - 1];
    c.chain[1] = &intermediate;
    c.chain[2] = &second;
    c.chain_len = chain_len;
    c.group = group;
    c.max_version = version;
    return c;
}

/* A signature uses two points, and each side of a key exchange on a P curve uses two. */
static size_t points_met(size_t chain_len, int group)
{
    return 2 * (chain_len + 1) + (group == WOLFSSL_ECC_SECP256R1 ? 2 : 0);
}

static void expect_no_table(const char *what, size_t chain_len, int group, int version)
{
    const tls_peer_config c = server(chain_len, group, version);
    const size_t tables = connect_and_count(&c);
    const char *curve = wolfSSL_get_curve_name(tls.ssl);
    assert_string_equal(curve, group == WOLFSSL_ECC_SECP256R1 ? "SECP256R1" : "X25519");
    if (tables != (BUILD_HAS_TABLES ? points_met(chain_len, group) : 0)) {
        fail_msg("%s, a chain of %zu, %s: room for %zu tables", what, chain_len, curve, tables);
    }
    assert_true(heap.peak < 2 * TABLE + HANDSHAKE);
    assert_true(heap.in_use < HANDSHAKE);
    disconnect();
}

static void no_handshake_computes_a_table(void **state)
{
    (void)state;
    for (size_t chain_len = 1; chain_len <= 3; chain_len++) {
        expect_no_table("TLS 1.3", chain_len, 0, 0);
        expect_no_table("TLS 1.3", chain_len, WOLFSSL_ECC_SECP256R1, 0);
        expect_no_table("TLS 1.2", chain_len, 0, TLS1_2_VERSION);
        expect_no_table("TLS 1.2", chain_len, WOLFSSL_ECC_SECP256R1, TLS1_2_VERSION);
    }
}

/* --- many streams --- */

enum { MANY = 100 };

static scripted_stream wires[MANY];
static plat_tls_stream streams[MANY];

static void make_many(void)
{
    for (int i = 0; i < MANY; i++) {
        scripted_init(&wires[i]);
        assert_int_equal(tls_init(&streams[i], &wires[i].base, ca_file), PLAT_OK);
    }
}

static void end_many(void)
{
    for (int i = 0; i < MANY; i++) {
        streams[i].base.ops->deinit(&streams[i].base);
        scripted_free(&wires[i]);
    }
}

static void many_streams_at_rest_change_nothing(void **state)
{
    (void)state;
    make_many();
    expect_no_table("TLS 1.3", 1, 0, 0);
    expect_no_table("TLS 1.2", 1, 0, TLS1_2_VERSION);
    end_many();
}

static void begin_handshakes(int count)
{
    plat_stage stage;
    for (int i = 0; i < count; i++) {
        plat_stream *stream = &streams[i].base;
        stream->ops->close(stream);
        assert_int_equal(stream->ops->open(stream, HOST, 8883, 0), PLAT_OK);
        assert_int_equal(stream->ops->progress(stream, 0, &stage), PLAT_WOULD_BLOCK);
        assert_int_equal(stage, PLAT_STAGE_TLS);
    }
}

static void many_handshakes_at_once_share_tables_which_end_with_them(void **state)
{
    (void)state;
    const tls_peer_config c = server(1, 0, 0);
    make_many();
    begin_handshakes(PLAT_CURVE_TABLES_PAY - 1);
    assert_int_equal(connect_and_count(&c),
                     /* This connection's own handshake reaches the number from which tables pay. */
                     BUILD_HAS_TABLES ? 3 : 0);
    disconnect();
    begin_handshakes(0);
    end_many();
    expect_no_table("TLS 1.3", 1, 0, 0);
}

static int make_all(void **state)
{
    make_everything(state);
    make_chains();
    return 0;
}

#define COUNTED(test) cmocka_unit_test_setup_teardown(test, count_memory, stop_counting)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(no_handshake_computes_a_table),
        COUNTED(many_streams_at_rest_change_nothing),
        COUNTED(many_handshakes_at_once_share_tables_which_end_with_them),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
