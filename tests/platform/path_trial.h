#ifndef TEST_PATH_TRIAL_H
#define TEST_PATH_TRIAL_H

/**
 * @file
 * Lets the judge of chains verify certificates that cert_writer.h has made.
 */

#include "cert_writer.h"
#include "wolfssl/x509/chain.h"
#include "wolfssl/x509/path.h"

#define HUB      "hub.judge.test"
#define CA       "ca usage=04" /* the words that describe a good CA and a good server */
#define SERVER   "usage=80 for=server dns:" HUB
#define MOST     PLAT_PATH_PRESENTED
#define GOOD     PLAT_OK
#define BAD      PLAT_ERR_CERT
#define STRANGER PLAT_ERR_CERT_UNTRUSTED

typedef struct trial {
    const written_cert *trusted[4];
    const written_cert *presented[MOST + 1]; /* the server's own certificate is the first */
    const char *host;                        /* NULL: HUB */
} trial;

plat_result judge(const trial *t, plat_chain_verdict *out);
void expect(const char *what, const trial *t, plat_result wanted);

/**
 * A chain of a root, a CA below it and a server. The members hold words in addition to the usual
 * ones.
 */
typedef struct words {
    const char *root, *ca, *server; /* NULL: none */
    plat_result wanted;
    const char *host;
} words;

void judge_words(const char *what, const words *w);

#define JUDGE_ALL(what, list)                                            \
    do {                                                                 \
        for (size_t at = 0; at < sizeof(list) / sizeof(list)[0]; at++) { \
            judge_words((what), &(list)[at]);                            \
        }                                                                \
    } while (0)

/** Set-up function of a test group. */
int make_keys(void **state);
int free_keys(void **state);

#endif
