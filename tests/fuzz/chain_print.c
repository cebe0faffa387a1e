#include "chain_trial.h"
#include "chain_words.h"

static const char *text_of(const char *why)
{
    return why == NULL ? "accepted" : why;
}

static void print_name(uint8_t name)
{
    for (size_t i = 0; i < PLAN_RDNS && plan_directory_names[name][i].type != 0; i++) {
        printf("%s%s", i > 0 ? "/" : "", plan_directory_names[name][i].text);
    }
}

static void print_general(uint8_t index)
{
    const plan_general *g = &plan_generals[index];
    printf(" %02X:", (unsigned)g->kind);
    for (size_t i = 0; i < g->len; i++) {
        const char c = g->bytes[i];
        if (g->kind == GENERAL_DIRECTORY) {
            print_name((uint8_t)c);
        } else if (c > ' ' && c < 0x7F) {
            printf("%c", c);
        } else {
            printf("\\%02X", (unsigned char)c);
        }
    }
}

static void print_list(const char *what, const plan_list *list)
{
    if (list->len > 0) {
        printf(" %s", what);
    }
    for (uint8_t i = 0; i < list->len; i++) {
        print_general(list->at[i]);
    }
}

static void print_number(const char *what, int value, int plain)
{
    if (value != plain) {
        printf(" %s %d", what, value);
    }
}

static void print_cert(const plan_cert *c)
{
    printf("subject ");
    print_name(c->subject);
    printf(", issuer ");
    print_name(c->issuer);
    printf(", key %d by %d, %s to %s, basic %d, usage %02X", c->key, c->signer,
           plan_dates[c->from].text, plan_dates[c->to].text, (int)c->basic, c->usage);
    print_number("path length", c->path_len, -1);
    print_number("extended usage", c->eku, EKU_NONE);
    print_number("serial", c->serial, 0);
    print_number("version 1", c->version_1, false);
    print_number("extras", c->extras, 0);
    print_number("subject id", (int)c->subject_id, ID_RIGHT);
    print_number("authority id", (int)c->authority_id, ID_RIGHT);
    print_number("hash", (int)c->hash, HASH_SHA256);
    print_number("other algorithm", c->other_algorithm, false);
    print_number("names critical", c->names_critical, false);
    print_number("constraints not critical", c->constraints_not_critical, false);
    print_list("names", &c->names);
    print_list("permitted", &c->permitted);
    print_list("excluded", &c->excluded);
    if (c->before.change != 0) {
        printf(" damage before %u^%02X", c->before.at, c->before.change);
    }
    if (c->after.change != 0) {
        printf(" damage after %u^%02X", c->after.at, c->after.change);
    }
    printf("\n");
}

void chain_print(const chain_trial *t, const plan *p)
{
    printf("%s: judge: %s; OpenSSL: %s\n  host %s, time %lld, presented",
           t->contradiction != NULL ? t->contradiction : "agreed", text_of(t->why),
           t->openssl_asked ? text_of(t->openssl) : "not asked", plan_hosts[p->host],
           (long long)plan_times[p->now]);
    for (uint8_t i = 0; i < p->presented_len; i++) {
        printf(" %u", p->presented[i]);
    }
    printf("\n");
    for (uint8_t i = 0; i < p->count; i++) {
        printf("  %u%s: ", i, p->trusted[i] ? " (trusted)" : "");
        print_cert(&p->certs[i]);
    }
    (void)fflush(stdout);
}
