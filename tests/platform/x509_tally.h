#ifndef X509_TALLY_H
#define X509_TALLY_H

/**
 * @file
 * Compares the judge's verdicts on a public collection of certificate cases with
 * what the authors of the collection expect.  A deviation must stand in a table
 * together with its reason; one that does not, and an entry of the table that no
 * longer deviates, make the test fail.
 */

#include <stdbool.h>
#include <stddef.h>

/** ctest's SKIP_RETURN_CODE: the collection is not on this machine. */
#define X509_SKIPPED 77

typedef enum x509_verdict { X509_REFUSED, X509_ACCEPTED } x509_verdict;

/** The judge's verdict where it is not the expected one, and why it stays so. */
typedef struct x509_deviation {
    const char *id;
    x509_verdict verdict;
    const char *reason;
} x509_deviation;

typedef struct x509_tally {
    const x509_deviation *table;
    size_t table_len;
    size_t right;
    size_t wrongly_accepted;
    size_t wrongly_refused;
    size_t met;       /* entries of the table that deviated as they say */
    size_t surprises; /* deviations that are not in the table */
    bool verbose;     /* print each case */
} x509_tally;

/** Counts one case; why is the judge's text for a refusal. */
void x509_count(x509_tally *t, const char *id, x509_verdict expected, x509_verdict verdict,
                const char *why);

/** Prints the result and the entries of the table that did not deviate.  Returns the exit code. */
int x509_finish(const x509_tally *t, const char *collection);

#endif
