#include "x509_tally.h"

#include <stdio.h>
#include <string.h>

static const x509_deviation *find(const x509_tally *t, const char *id, x509_verdict verdict)
{
    for (size_t i = 0; i < t->table_len; i++) {
        if (t->table[i].verdict == verdict && strcmp(t->table[i].id, id) == 0) {
            return &t->table[i];
        }
    }
    return NULL;
}

static const char *name_of(x509_verdict v)
{
    return v == X509_ACCEPTED ? "accepted" : "refused";
}

static void deviate(x509_tally *t, const char *id, x509_verdict verdict, const char *why)
{
    *(verdict == X509_ACCEPTED ? &t->wrongly_accepted : &t->wrongly_refused) += 1;
    const x509_deviation *known = find(t, id, verdict);
    if (known == NULL) {
        t->surprises++;
        printf("unexpected: %s is %s: %s\n", id, name_of(verdict), why);
        return;
    }
    t->met++;
    if (t->verbose) {
        printf("%s is %s (%s): %s\n", id, name_of(verdict), known->reason, why);
    }
}

void x509_count(x509_tally *t, const char *id, x509_verdict expected, x509_verdict verdict,
                const char *why)
{
    why = why != NULL ? why : "";
    if (verdict != expected) {
        deviate(t, id, verdict, why);
        return;
    }
    t->right++;
    for (int v = X509_REFUSED; v <= X509_ACCEPTED; v++) {
        if (find(t, id, (x509_verdict)v) != NULL) {
            printf("no deviation any more, strike it out: %s is %s: %s\n", id, name_of(verdict),
                   why);
        }
    }
    if (t->verbose) {
        printf("%s is %s as it should: %s\n", id, name_of(verdict), why);
    }
}

int x509_finish(const x509_tally *t, const char *collection)
{
    printf("%s: %zu cases: right %zu, wrongly accepted %zu, wrongly refused %zu\n", collection,
           t->right + t->wrongly_accepted + t->wrongly_refused, t->right, t->wrongly_accepted,
           t->wrongly_refused);
    if (t->met != t->table_len) {
        printf("%zu entries of the table of deviations did not deviate as they say\n",
               t->table_len - t->met);
    }
    return t->surprises == 0 && t->met == t->table_len ? 0 : 1;
}
