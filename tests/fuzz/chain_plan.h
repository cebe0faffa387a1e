#ifndef CHAIN_PLAN_H
#define CHAIN_PLAN_H

/**
 * @file
 * A plan describes a few certificates, which of them a server presents, which are trusted, and the
 * host and the time of the verification. A plan begins as a good chain, and each step that is read
 * from the input changes one thing, so that a few steps lead to rare cases of the judge.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fuzz.h"

enum {
    PLAN_CERTS = 10,
    PLAN_PRESENTED = 14,
    PLAN_NAMES = 4,
    PLAN_KEYS = 9,
    PLAN_KEY_ED25519 = 6, /* keys below this number use P-256 */
    PLAN_KEY_P384 = 7,
    PLAN_KEY_P224 = 8, /* too weak */
};

typedef enum plan_basic {
    BASIC_NONE,
    BASIC_END, /* cA false */
    BASIC_CA,
    BASIC_CA_NOT_CRITICAL,
    BASIC_KINDS
} plan_basic;

typedef enum plan_id { ID_RIGHT, ID_NONE, ID_WRONG, ID_KINDS } plan_id;
typedef enum plan_hash { HASH_SHA256, HASH_SHA384, HASH_SHA1, HASH_KINDS } plan_hash;

enum { USAGE_NONE = 0, USAGE_SIGN = 0x80, USAGE_ENCIPHER = 0x20, USAGE_CERT_SIGN = 0x04 };
enum { EKU_NONE = 0, EKU_SERVER = 1, EKU_CLIENT = 2, EKU_ANY = 4, EKU_OTHER = 8, EKU_SETS = 16 };

/* Extensions that these certificates do not need. */
enum {
    EXTRA_UNKNOWN = 1,
    EXTRA_UNKNOWN_CRITICAL = 2,
    EXTRA_POLICIES_CRITICAL = 4,
    EXTRA_POLICY_CONSTRAINTS = 8, /* critical */
    EXTRA_POLICY_CONSTRAINTS_NOT_CRITICAL = 16,
    EXTRA_POLICY_MAPPINGS = 32, /* critical */
    EXTRA_INHIBIT_ANY = 64,     /* critical */
    /* basicConstraints occurs twice or, if there is none, an unknown extension. */
    EXTRA_TWICE = 128,
    EXTRA_KINDS = 8
};

/* Lists of names in subjectAltName and nameConstraints, as indexes of plan_general. */
typedef struct plan_list {
    uint8_t at[PLAN_NAMES];
    uint8_t len;
} plan_list;

/* A change of one byte of the certificate. */
typedef struct plan_damage {
    uint16_t at;    /* offset in the signed part, modulo its length */
    uint8_t change; /* combined with the byte by exclusive or; 0: no change */
} plan_damage;

typedef struct plan_cert {
    uint8_t subject, issuer; /* indexes of plan_name */
    uint8_t key, signer;     /* indexes of the keys */
    uint8_t from, to;        /* indexes of plan_dates */
    uint8_t serial;          /* index of plan_serials */
    bool version_1;          /* certificate of version 1, which has no extensions */
    plan_basic basic;
    int8_t path_len; /* -1: none */
    uint8_t usage;   /* one of USAGE_...; 0: no such extension */
    uint8_t eku;
    plan_list names, permitted, excluded;
    bool names_critical, constraints_not_critical;
    uint8_t extras;
    plan_id subject_id, authority_id;
    plan_hash hash;
    bool other_algorithm; /* the algorithm outside the signed part differs from the one inside */
    plan_damage before, after; /* changes made before and after signing */
} plan_cert;

typedef struct plan {
    plan_cert certs[PLAN_CERTS];
    uint8_t count;
    /* Indexes of certs; the server's own certificate is the first. */
    uint8_t presented[PLAN_PRESENTED];
    uint8_t presented_len;
    bool trusted[PLAN_CERTS];
    uint8_t host; /* index of plan_hosts */
    uint8_t now;  /* index of plan_times */
} plan;

/** Reads a plan. Any input results in a plan. */
void plan_read(plan *p, fuzz_input *in);

#endif
