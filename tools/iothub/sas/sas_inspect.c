#include "sas/sas_inspect.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command/commands.h"
#include "iothub/sas.h"

#define LAST_SECOND_OF_9999 253402300799u

static void print_field(const char *label, mqc_span field, const char *if_empty)
{
    char *text = malloc(field.len + 1);

    printf("%-10s ", label);
    if (text == NULL || iothub_sas_decode(field, text, field.len + 1) != IOTHUB_OK) {
        puts("(not text)");
    } else if (*text == '\0') {
        puts(if_empty);
    } else {
        cli_puts(stdout, text);
        putchar('\n');
    }
    free(text);
}

static void print_expiry(uint64_t expiry)
{
    char date[32];
    struct tm tm;
    time_t t = (time_t)expiry;

    if (expiry > LAST_SECOND_OF_9999 || gmtime_r(&t, &tm) == NULL ||
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        (void)snprintf(date, sizeof date, "after the year 9999");
    }
    printf("%-10s %s (%" PRIu64 ")\n", "expires:", date, expiry);
}

static void print_time_left(uint64_t expiry)
{
    uint64_t now = (uint64_t)time(NULL);

    if (expiry > now) {
        printf("%-10s valid, %" PRIu64 " seconds left\n", "state:", expiry - now);
    } else {
        printf("%-10s EXPIRED, %" PRIu64 " seconds ago\n", "state:", now - expiry);
    }
}

static int print_signature(const plat_crypto *crypto, const iothub_sas_token *token,
                           const char *key)
{
    iothub_error err;

    if (key == NULL) {
        printf("%-10s not checked, since there is no --key\n", "signature:");
        return cli_finish();
    }
    iothub_result r = iothub_sas_verify(crypto, token, mqc_span_str(key), &err);
    if (r == IOTHUB_OK) {
        printf("%-10s right, made with this key\n", "signature:");
        return cli_finish();
    }
    if (r == IOTHUB_ERR_AUTH) {
        printf("%-10s WRONG, not made with this key\n", "signature:");
        return EXIT_FAILURE;
    }
    return cli_error("%s", err.text);
}

int inspect_token(const char *token_text, const char *key)
{
    iothub_sas_token token;
    iothub_error err;

    if (iothub_sas_parse(&token, mqc_span_str(token_text), &err) != IOTHUB_OK) {
        return cli_error("%s", err.text);
    }
    print_field("resource:", token.resource, "");
    print_field("policy:", token.policy, "none");
    print_expiry(token.expiry_s);
    print_time_left(token.expiry_s);
    return print_signature(plat_posix()->crypto, &token, key);
}
