#include "chain_words.h"

#define UTF8      0x0C
#define PRINTABLE 0x13

/* The first six belong to the good chain, from the server's own certificate upwards. */
const plan_rdn plan_directory_names[PLAN_DIRECTORY_NAMES][PLAN_RDNS] = {
    { { 6, PRINTABLE, "DE" }, { 10, UTF8, "Judge" }, { 3, UTF8, "hub" } },
    { { 6, PRINTABLE, "DE" }, { 10, UTF8, "Judge" }, { 3, UTF8, "Sub One" } },
    { { 6, PRINTABLE, "DE" }, { 10, UTF8, "Judge" }, { 3, UTF8, "Sub Two" } },
    { { 6, PRINTABLE, "DE" }, { 10, UTF8, "Other" }, { 3, UTF8, "Sub Three" } },
    { { 3, UTF8, "Sub Four" } },
    { { 3, UTF8, "Root" } },
    { { 0 } },
    { { 6, PRINTABLE, "DE" }, { 10, UTF8, "Judge" } },
    { { 6, PRINTABLE, "de" }, { 10, PRINTABLE, "JUDGE" }, { 3, PRINTABLE, " sub  ONE" } },
    { { 10, UTF8, "Judge" } },
};

#define NAME(kind, text)                         \
    {                                            \
        GENERAL_##kind, (text), sizeof(text) - 1 \
    }

/* Names that are valid or not valid as names of a certificate, as constraints, or as both. */
const plan_general plan_generals[PLAN_GENERALS] = {
    NAME(DNS, "hub.judge.test"),
    NAME(DNS, "judge.test"),
    NAME(DNS, "dge.test"),
    NAME(DNS, ".judge.test"),
    NAME(DNS, "other.test"),
    NAME(DNS, "*.judge.test"),
    NAME(DNS, "HUB.Judge.TEST"),
    NAME(DNS, "test"),
    NAME(DNS, ""),
    NAME(DNS, "hub.judge.test."),
    NAME(DNS, "localhost"),
    NAME(DNS, "*"),
    NAME(DNS, "h*.judge.test"),
    NAME(DNS, "a.hub.judge.test"),
    NAME(DNS, "hub.judge.test\0.evil"),
    NAME(DNS, "*.test"),
    NAME(DNS, "*.hub.judge.test"),
    NAME(DNS, "my_hub.judge.test"),
    NAME(DNS, "hub..judge.test"),
    NAME(DNS, "xn--hb-xka.test"),
    NAME(IP, "\xC0\x00\x02\x01"),
    NAME(IP, "\xC0\x00\x02\x02"),
    NAME(IP, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
    NAME(IP, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\x00\x02\x01"), /* IPv4, mapped */
    NAME(IP, "\xC0\x00\x02\x00\xFF\xFF\xFF\x00"),
    NAME(IP, "\xC0\x00\x02\x01\xFF\xFF\xFF\xFF"),
    NAME(IP, "\x0A\x00\x00\x00\xFF\x00\x00\x00"),
    NAME(IP, "\0\0\0\0\0\0\0\0"),
    NAME(IP, "\xC0\x00\x02\x01\xFF\x00\xFF\xFF"), /* a mask that is not a prefix */
    NAME(IP, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
             "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    NAME(IP, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    NAME(IP, "\xC0\x00\x02\x01\xFF"),
    NAME(EMAIL, "a@judge.test"),
    NAME(EMAIL, "judge.test"),
    NAME(URI, "https://hub.judge.test/"),
    NAME(URI, ".judge.test"),
    NAME(DIRECTORY, "\0"),
    NAME(DIRECTORY, "\1"),
    NAME(DIRECTORY, "\6"),
    NAME(DIRECTORY, "\7"),
    NAME(DIRECTORY, "\10"),
    NAME(DIRECTORY, "\11"),
    NAME(OTHER, "\x06\x03\x2A\x03\x04\xA0\x03\x0C\x01\x41"),
    NAME(ID, "\x2A\x03\x04"),
};

#define UTC(text)    \
    {                \
        0x17, (text) \
    }
#define GENERALIZED(text) \
    {                     \
        0x18, (text)      \
    }

const plan_date plan_dates[PLAN_DATES] = {
    UTC("200101000000Z"),
    UTC("400101000000Z"),
    UTC("260531235959Z"),
    UTC("260601000000Z"),
    UTC("260601000001Z"),
    UTC("500101000000Z"), /* 1950 */
    UTC("2001010000Z"),
    UTC("200101000000+0000"),
    GENERALIZED("20200101000000Z"),
    GENERALIZED("20600101000000Z"),
    GENERALIZED("99991231235959Z"),
    GENERALIZED("20600101000000.5Z"),
};

const plan_general plan_serials[PLAN_SERIALS] = {
    NAME(ID, "\x01"),
    NAME(ID, "\x00"),
    NAME(ID, "\xFF"),
    NAME(ID, "\x00\x01"),
    NAME(ID,
         "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
};

const char *const plan_hosts[PLAN_HOSTS] = {
    "hub.judge.test", "localhost", "192.0.2.1",         "::1",
    "judge.test",     "192.0.2.2", "my_hub.judge.test",
};

/* 2026-06-01 00:00:00, one second before and after it, and a time in 2030. */
const int64_t plan_times[PLAN_TIMES] = { 1780272000, 1780271999, 1780272001, 1893456000 };
const uint8_t plan_last_dates[PLAN_TIMES] = { 3, 2, 4, UINT8_MAX };
