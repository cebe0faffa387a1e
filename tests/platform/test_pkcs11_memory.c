/*
 * Searches the memory of a process for the private key that it has used: with the key in a token
 * it must not be there, with the key in a PEM file it must be found.
 *
 * The parent makes token and key in a third process and learns the secret numbers after the child,
 * so no copy of them is inherited.  The child logs in to a TLS server and stops; the parent then
 * reads all of its memory, as a core image contains it.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "csr_issuer.h"
#include "device_fixture.h"
#include "gnutls_peer.h"
#include "memory/wipe_memory.h"
#include "platform/csr.h"
#include "platform/pkcs11.h"
#include "soft_token.h"
#include "wolfssl/identity/identity.h"
#include "wolfssl/x509/der.h"

#define KEY_FILE   "key.der"
#define CHAIN_FILE "chain.der"
#define NUMBERS    8

static int make_all(void **state)
{
    make_everything(state);
    make_devices();
    soft_token_make();
    return 0;
}

static int remove_all(void **state)
{
    soft_token_remove();
    return remove_everything(state);
}

/* --- files --- */

static void write_file(const char *name, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(soft_token_file(name, ""), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(out, 1, cap, f);
    assert_int_equal(fclose(f), 0);
    assert_true(len > 0);
    return len;
}

/* --- processes --- */

/* Makes a key and a certificate for it. Both are in files, or the key is in the token. */
static void make_device(plat_key_kind kind, bool in_token)
{
    const plat_csr_maker *maker = plat_wolfssl_csr_maker();
    plat_made_key key;
    plat_identity_fault fault;
    uint8_t csr[PLAT_CSR_MAX], chain[8192];
    size_t len = 0;
    const plat_csr_config config = { .common_name = "device-1", .key = &key };
    assert_int_equal(maker->make_key(maker, kind, &key, &fault), PLAT_OK);
    assert_int_equal(maker->make_csr(maker, &config, csr, sizeof csr, &len, &fault), PLAT_OK);
    gnutls_x509_crq_t crq = csr_read(csr, len, "device-1");
    write_file(CHAIN_FILE, chain, csr_issue(crq, chain, sizeof chain));
    gnutls_x509_crq_deinit(crq);
    write_file(KEY_FILE, key.der, key.len);
    if (in_token) {
        soft_token_import(key.der, key.len, kind == PLAT_KEY_RSA ? "rsa" : "ec",
                          kind == PLAT_KEY_RSA ? "01" : "02");
    }
}

/* Makes the device in a process of its own. */
static void have_a_device_made(plat_key_kind kind, bool in_token)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        make_device(kind, in_token);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Logs in to a server with the chain, and with a key in the token or in the file. */
static void log_in(plat_key_kind kind, bool in_token, const char *chain_path, const char *key_path)
{
    static gnutls_peer server;
    plat_signer *signer = NULL;
    plat_identity *identity = NULL;
    plat_identity_fault fault;
    const plat_pkcs11_config where = { .uri = soft_token_uri(kind == PLAT_KEY_RSA ? "object=rsa"
                                                                                  : "object=ec",
                                                             "pin-value=" SOFT_TOKEN_PIN) };
    plat_identity_config config = { .chain = { .file = chain_path } };
    const gnutls_peer_config c = { .demand = true, .root = &device_root };
    void *state = NULL;
    assert_int_equal(make_stream(&state), 0);
    if (in_token) {
        assert_int_equal(plat_pkcs11_signer_new(&where, &signer, &fault), PLAT_OK);
        config.signer = signer;
    } else {
        config.key.file = key_path;
    }
    assert_int_equal(
        plat_wolfssl_identities.make(&plat_wolfssl_identities, &config, &identity, &fault),
        PLAT_OK);
    assert_int_equal(s->ops->set_identity(s, identity), PLAT_OK);
    assert_int_equal(gnutls_peer_connect(&server, &c), PLAT_OK);
    assert_int_equal(server.presented, 2);
    gnutls_peer_echo(&server);
}

/* --- the search --- */

/* The secret numbers of a key. */
typedef struct secrets {
    uint8_t bytes[PLAT_MADE_KEY_MAX];
    plat_der numbers[NUMBERS];
    size_t count;
} secrets;

static void learn_secrets(secrets *out, plat_key_kind kind, const char *path)
{
    plat_der in, all;
    in.at = out->bytes;
    in.len = read_file(path, out->bytes, sizeof out->bytes);
    out->count = 0;
    assert_true(plat_der_take(&in, PLAT_DER_SEQUENCE, &all));
    if (kind != PLAT_KEY_RSA) {
        assert_true(plat_der_take(&all, PLAT_DER_INTEGER, &in));
        assert_true(plat_der_take(&all, PLAT_DER_OCTET_STRING, &out->numbers[out->count++]));
        return;
    }
    for (int i = 0; i < 9; i++) { /* version, n and e are public; d, p, q, and three more are not */
        plat_der number;
        assert_true(plat_der_take(&all, PLAT_DER_INTEGER, &number));
        while (number.len > 0 && number.at[0] == 0) {
            number.at++;
            number.len--;
        }
        if (i >= 3) {
            out->numbers[out->count++] = number;
        }
    }
}

/* Looks for each number as it is in DER, and with its bytes reversed, as libraries compute. */
static size_t count_in(const uint8_t *memory, size_t len, const secrets *wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        uint8_t reversed[512];
        const plat_der n = wanted->numbers[i];
        for (size_t at = 0; at < n.len; at++) {
            reversed[at] = n.at[n.len - 1 - at];
        }
        found += memmem(memory, len, n.at, n.len) != NULL ? 1 : 0;
        found += memmem(memory, len, reversed, n.len) != NULL ? 1 : 0;
    }
    return found;
}

static size_t search_range(int memory, uint64_t from, uint64_t to, const secrets *wanted)
{
    const size_t len = (size_t)(to - from);
    size_t done = 0;
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    while (done < len) {
        ssize_t n = pread(memory, copy + done, len - done, (off_t)(from + done));
        if (n <= 0) { /* a mapping such as [vvar], which a core image does not contain */
            break;
        }
        done += (size_t)n;
    }
    size_t found = count_in(copy, done, wanted);
    free(copy);
    return found;
}

/* Searches what a core image of the process would contain: each readable mapping, except those
 * that are marked as not to be dumped (the shadow memory of AddressSanitizer). */
static size_t search_process(pid_t pid, const secrets *wanted, size_t *mappings)
{
    char path[64], line[512];
    unsigned long long from = 0, to = 0, a = 0, b = 0;
    char mode[8] = "";
    size_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    FILE *maps = fopen(path, "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        char word[8];
        if (sscanf(line, "%llx-%llx %7s", &a, &b, word) == 3) {
            from = a;
            to = b;
            snprintf(mode, sizeof mode, "%s", word);
        } else if (strncmp(line, "VmFlags:", 8) == 0 && mode[0] == 'r' &&
                   strstr(line, " dd") == NULL) {
            found += search_range(memory, from, to, wanted);
            ++*mappings;
        }
    }
    assert_int_equal(fclose(maps), 0);
    assert_int_equal(close(memory), 0);
    return found;
}

/* Returns how many secret numbers a process contains that has logged in and is still connected. */
static size_t numbers_in_a_client(plat_key_kind kind, bool in_token)
{
    int ready[2], done[2], status = 0;
    char byte = 0;
    char chain_path[128], key_path[128];
    static secrets wanted;
    size_t mappings = 0;
    snprintf(key_path, sizeof key_path, "%s", soft_token_file(KEY_FILE, ""));
    snprintf(chain_path, sizeof chain_path, "%s", soft_token_file(CHAIN_FILE, ""));
    plat_wipe(&wanted, sizeof wanted); /* erases the numbers that the last call has found out */
    have_a_device_made(kind, in_token);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        log_in(kind, in_token, chain_path, key_path);
        _exit(write(ready[1], "r", 1) == 1 && read(done[0], &byte, 1) == 1 ? 0 : 1);
    }
    assert_int_equal(close(ready[1]), 0); /* the child's end: its failure ends the wait */
    assert_int_equal(read(ready[0], &byte, 1), 1);
    learn_secrets(&wanted, kind, key_path);
    size_t found = search_process(pid, &wanted, &mappings);
    assert_true(mappings > 10);
    assert_int_equal(write(done[1], "d", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)close(ready[0]), (void)close(done[0]), (void)close(done[1]);
    return found;
}

static void a_key_in_a_token_is_not_in_the_process(void **state)
{
    (void)state;
    assert_int_equal(numbers_in_a_client(PLAT_KEY_EC_P256, true), 0);
    assert_int_equal(numbers_in_a_client(PLAT_KEY_RSA, true), 0);
}

/* Checks that the search finds what is there. */
static void a_key_from_a_file_is_found_in_the_process(void **state)
{
    (void)state;
    assert_true(numbers_in_a_client(PLAT_KEY_EC_P256, false) >= 1);
    assert_true(numbers_in_a_client(PLAT_KEY_RSA, false) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_in_a_token_is_not_in_the_process),
        cmocka_unit_test(a_key_from_a_file_is_found_in_the_process),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
