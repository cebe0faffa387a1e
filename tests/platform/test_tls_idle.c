/* Measures the memory of an open connection: what wolfSSL allocates for it on the heap, minus
 * the pages that were returned to the system. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "device_fixture.h"
#include "resident.h"
#include "tls_fixture.h"

#include <wolfssl/wolfcrypt/memory.h>

/* --- the heap of the client; the server is in the same process --- */

enum { BLOCKS_MAX = 16384 };

static struct {
    bool on_duty;
    size_t count;
    struct {
        void *at;
        size_t size;
    } blocks[BLOCKS_MAX];
} heap;

static void forget(const void *block)
{
    for (size_t i = heap.count; i > 0; i--) {
        if (heap.blocks[i - 1].at == block) {
            heap.blocks[i - 1] = heap.blocks[--heap.count];
            return;
        }
    }
}

static void *note(void *block, size_t size)
{
    if (heap.on_duty && block != NULL) {
        assert_true(heap.count < BLOCKS_MAX);
        heap.blocks[heap.count].at = block;
        heap.blocks[heap.count++].size = size;
    }
    return block;
}

static void *noting_malloc(size_t size)
{
    return note(malloc(size), size);
}

static void noting_free(void *block)
{
    forget(block);
    free(block);
}

static void *noting_realloc(void *block, size_t size)
{
    forget(block);
    return note(realloc(block, size), size);
}

static size_t heap_in_use(void)
{
    size_t sum = 0;
    for (size_t i = 0; i < heap.count; i++) {
        /* Computes the size of a block as glibc does. */
        sum += (heap.blocks[i].size + 8 + 15) / 16 * 16;
    }
    return sum;
}

/* --- connections --- */

static tls_tickets shared_tickets;

static int share_tickets(void **state)
{
    make_stream(state);
    shared_tickets = (tls_tickets){ .spoil_at = SIZE_MAX };
    tickets = &shared_tickets;
    return 0;
}

/* Opens a connection and reads the first bytes. */
static void connect_and_talk(const tls_peer_config *config)
{
    plat_stage stage;
    uint8_t buf[16];
    size_t n;
    plat_result r = PLAT_WOULD_BLOCK;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, config, tickets);
    while (r == PLAT_WOULD_BLOCK) {
        heap.on_duty = true;
        r = s->ops->progress(s, 0, &stage);
        heap.on_duty = false;
        tls_peer_step(&peer);
    }
    assert_int_equal(r, PLAT_OK);
    tls_peer_send(&peer, "pong", 4);
    heap.on_duty = true;
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_OK);
    assert_int_equal(s->ops->recv(s, buf, sizeof buf, &n), PLAT_WOULD_BLOCK);
    heap.on_duty = false;
}

static size_t given_back(void *block)
{
    const resident r = resident_pages(block, malloc_usable_size(block));
    return r.whole - r.taken;
}

/* Measures with wolfSSL's own allocator, as in a program that is not a test. */
static size_t measure_given_back(const tls_peer_config *config)
{
    connect_and_talk(config);
    WOLFSSL_SESSION *session = wolfSSL_get1_session(tls.ssl);
    size_t sum = given_back(tls.ssl) + given_back(session);
    wolfSSL_SESSION_free(session);
    disconnect();
    return sum;
}

/* Counts only what is freed with the connection; sessions and wolfSSL's curve tables remain. */
static size_t measure_heap(const tls_peer_config *config)
{
    heap.count = 0;
    assert_int_equal(wolfSSL_SetAllocators(noting_malloc, noting_free, noting_realloc), 0);
    connect_and_talk(config);
    const size_t open = heap_in_use();
    disconnect();
    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
    return open - heap_in_use();
}

static void expect_at_most(const char *what, const tls_peer_config *config, size_t limit)
{
    const size_t in_use = measure_heap(config);
    const size_t back = measure_given_back(config);
    print_message("%s: %zu bytes, %zu of them given back: %zu\n", what, in_use, back,
                  in_use - back);
    assert_in_range(in_use - back, 1, limit);
}

/* Allows one page more than usual for blocks with an unlucky alignment. With ML-KEM, wolfSSL
 * needs more per connection. */
#ifdef WOLFSSL_HAVE_MLKEM
enum { LARGER = 1024 };
#else
enum { LARGER = 0 };
#endif
enum { FULL = 27 * 1024 + LARGER, RESUMED = 26 * 1024 + LARGER };

static tls_peer_config server(pki_key key, int version)
{
    tls_peer_config c = good_config;
    c.chain[0] = key == PKI_RSA ? &good_rsa : &good;
    c.key = key;
    c.max_version = version;
    return c;
}

static void a_connection_after_a_full_handshake_takes_little(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        pki_key key;
        int version;
    } cases[] = {
        { "TLS 1.3, P-256", PKI_LEAF, 0 },
        { "TLS 1.3, RSA", PKI_RSA, 0 },
        { "TLS 1.2, P-256", PKI_LEAF, TLS1_2_VERSION },
        { "TLS 1.2, RSA", PKI_RSA, TLS1_2_VERSION },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tls_peer_config c = server(cases[i].key, cases[i].version);
        restart_stream(); /* removes sessions of the other TLS version */
        expect_at_most(cases[i].what, &c, FULL);
    }
}

static void a_resumed_connection_takes_less(void **state)
{
    (void)state;
    for (int version = 0; version <= TLS1_2_VERSION; version += TLS1_2_VERSION) {
        const tls_peer_config c = server(PKI_LEAF, version);
        restart_stream();
        expect_success("the first one", HOST, &c);
        expect_at_most(version == 0 ? "TLS 1.3, resumed" : "TLS 1.2, resumed", &c, RESUMED);
    }
}

/* An open connection has a profile of a few dozen bytes. If wolfSSL is built with KEEP_OUR_CERT,
 * it also keeps a copy of the device's own certificate, in the memory that its base64 needed. */
static void a_client_certificate_takes_little_of_an_open_connection(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        for (int version = 0; version <= TLS1_2_VERSION; version += TLS1_2_VERSION) {
            tls_peer_config c = server(PKI_LEAF, version);
            restart_stream();
            const size_t without = measure_heap(&c);
            c.ask = true;
            plat_identity *identity = device_identity_of(kind);
            restart_stream();
            assert_int_equal(s->ops->set_identity(s, identity), PLAT_OK);
            plat_wolfssl_identities.release(identity);
            const size_t with = measure_heap(&c);
            print_message("%s, TLS 1.%d: %zu bytes, %zu without a client certificate\n",
                          device_kinds[kind].name, version == 0 ? 3 : 2, with, without);
            assert_true(with <= without + 512 + device_certs[kind].len * 3 / 2);
        }
    }
}

static void an_identity_takes_little(void **state)
{
    (void)state;
    static const size_t limits[DEVICE_KINDS] = { 3 * 1024, 3 * 1024, 4 * 1024 };
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        heap.count = 0;
        heap.on_duty = true;
        assert_int_equal(wolfSSL_SetAllocators(noting_malloc, noting_free, noting_realloc), 0);
        plat_identity *identity = device_identity_of(kind);
        const size_t size = heap_in_use();
        plat_wolfssl_identities.release(identity);
        heap.on_duty = false;
        assert_int_equal(heap_in_use(), 0);
        assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
        print_message("%s with one intermediate certificate: %zu bytes\n", device_kinds[kind].name,
                      size);
        assert_in_range(size, 1, limits[kind]);
    }
}

static int make_all(void **state)
{
    make_everything(state);
    make_devices();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(a_connection_after_a_full_handshake_takes_little),
        cmocka_unit_test_setup_teardown(a_resumed_connection_takes_less, share_tickets,
                                        free_stream),
        WITH_STREAM(a_client_certificate_takes_little_of_an_open_connection),
        cmocka_unit_test(an_identity_takes_little),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
