#ifndef TEST_PATH_TRIAL_H
#define TEST_PATH_TRIAL_H

/** @file Puts certificates made by cert_writer.h to the judge of chains. */

#include "cert_writer.h"
#include "wolfssl/x509/chain.h"
#include "wolfssl/x509/path.h"

#define HUB      "hub.judge.test"
#define CA       "ca usage=04" /* the words of a good CA and a good server */
#define SERVER   "usage=80 for=server dns:" HUB
#define MOST     PLAT_PATH_PRESENTED
#define GOOD     PLAT_OK
#define BAD      PLAT_ERR_CERT
#define STRANGER PLAT_ERR_CERT_UNTRUSTED

typedef struct trial {
    const written_cert *trusted[4];
    const written_cert *presented[MOST + 1]; /* the server's own first */
    const char *host;                        /* NULL: HUB */
} trial;

plat_result judge(const trial *t, plat_chain_verdict *out);
void expect(const char *what, const trial *t, plat_result wanted);

/** A root, a CA below it and a server: what their words are in addition to the usual ones. */
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

/** For the group. */
int make_keys(void **state);
int free_keys(void **state);

#endif
