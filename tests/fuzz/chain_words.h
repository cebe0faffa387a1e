#ifndef CHAIN_WORDS_H
#define CHAIN_WORDS_H

/** @file The names, addresses, dates and numbers that a plan refers to by index. */

#include <stddef.h>
#include <stdint.h>

enum {
    PLAN_DIRECTORY_NAMES = 10,
    PLAN_GENERALS = 44,
    PLAN_DATES = 12,
    PLAN_SERIALS = 5,
    PLAN_HOSTS = 7,
    PLAN_TIMES = 4,
    PLAN_FROM = 0, /* index of the first date of a good certificate */
    PLAN_TO = 1,
    PLAN_RDNS = 3
};

/* One attribute of a distinguished name. */
typedef struct plan_rdn {
    char type;   /* last number of the OID 2.5.4.x: 3 is CN, 6 is C, 10 is O; 0: no attribute */
    uint8_t tag; /* type of the string, such as UTF8String or PrintableString */
    const char *text;
} plan_rdn;

extern const plan_rdn plan_directory_names[PLAN_DIRECTORY_NAMES][PLAN_RDNS];

typedef enum plan_general_kind {
    GENERAL_OTHER = 0xA0,
    GENERAL_EMAIL = 0x81,
    GENERAL_DNS = 0x82,
    GENERAL_DIRECTORY = 0xA4, /* bytes[0] is an index of plan_directory_names */
    GENERAL_URI = 0x86,
    GENERAL_IP = 0x87,
    GENERAL_ID = 0x88
} plan_general_kind;

typedef struct plan_general {
    plan_general_kind kind;
    const char *bytes;
    size_t len;
} plan_general;

extern const plan_general plan_generals[PLAN_GENERALS];

typedef struct plan_date {
    uint8_t tag; /* 0x17 is UTCTime, 0x18 is GeneralizedTime */
    const char *text;
} plan_date;

extern const plan_date plan_dates[PLAN_DATES];

extern const plan_general plan_serials[PLAN_SERIALS]; /* the member `kind` is not used */
extern const char *const plan_hosts[PLAN_HOSTS];
extern const int64_t plan_times[PLAN_TIMES];
/* Indexes of the dates that are equal to these times. */
extern const uint8_t plan_last_dates[PLAN_TIMES];

#endif
