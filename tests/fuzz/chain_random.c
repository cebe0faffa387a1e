/* Passes random chains, which are the same for the same seed, to the judge, the model and
 * OpenSSL.
 *
 *     chain_random COUNT [SEED [--all]]
 *
 * Prints each contradiction whose reason is not listed (with --all, each chain), and how often
 * all three agree. */

#include "chain_trial.h"

enum { STEPS = 4, STEP_BYTES = 5, LONGEST = 1 + STEPS * STEP_BYTES };

typedef struct tally {
    unsigned long accepted, refused, contradictions;
    unsigned long openssl_refuses; /* accepted by the judge, but refused by OpenSSL */
    unsigned long openssl_accepts; /* refused by the judge, but accepted by OpenSSL */
    bool openssl_asked;
} tally;

static uint8_t roll(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint8_t)(*seed >> 33);
}

static fuzz_input choose(uint8_t bytes[LONGEST], uint64_t *seed)
{
    size_t len = 1 + (size_t)(roll(seed) % (STEPS + 1)) * STEP_BYTES;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = roll(seed);
    }
    return (fuzz_input){ bytes, len };
}

static void print_input(fuzz_input in)
{
    printf("input of fuzz_chain:");
    for (size_t i = 0; i < in.len; i++) {
        printf(" %02x", in.ptr[i]);
    }
    printf("\n");
}

static void count(tally *n, const chain_trial *t)
{
    n->contradictions += t->contradiction != NULL;
    n->openssl_asked = t->openssl_asked;
    if (t->accepted) {
        n->accepted++;
        n->openssl_refuses += t->openssl != NULL;
    } else {
        n->refused++;
        n->openssl_accepts += t->openssl_asked && t->openssl == NULL;
    }
}

static void print_tally(const tally *n)
{
    printf("accepted %lu, refused %lu, contradictions %lu; ", n->accepted, n->refused,
           n->contradictions);
    if (n->openssl_asked) {
        printf("OpenSSL refuses %lu of the accepted and accepts %lu of the refused\n",
               n->openssl_refuses, n->openssl_accepts);
    } else {
        printf("OpenSSL is not there to be asked\n");
    }
}

int main(int argc, char **argv)
{
    tally n = { 0 };
    if (argc < 2) {
        fprintf(stderr, "usage: %s COUNT [SEED [--all]]\n", argv[0]);
        return 2;
    }
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned long i = strtoul(argv[1], NULL, 10); i > 0; i--) {
        uint8_t bytes[LONGEST];
        const fuzz_input input = choose(bytes, &seed);
        fuzz_input in = input;
        chain_trial t;
        plan p;
        plan_read(&p, &in);
        chain_try(&t, &p);
        count(&n, &t);
        if (t.contradiction != NULL || argc > 3) {
            print_input(input);
            chain_print(&t, &p);
        }
    }
    print_tally(&n);
    return n.contradictions == 0 ? 0 : 1;
}
