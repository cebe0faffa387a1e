#ifndef X509_TALLY_H
#define X509_TALLY_H

/**
 * @file
 * Compares the judge's verdicts on a public collection of certificate cases with those that the
 * authors of the collection expect. A table lists each deviation with its reason. The test fails if
 * a deviation is not in the table, or if an entry of the table no longer deviates.
 */

#include <stdbool.h>
#include <stddef.h>

/** The SKIP_RETURN_CODE of ctest: the collection is not installed on this machine. */
#define X509_SKIPPED 77

typedef enum x509_verdict { X509_REFUSED, X509_ACCEPTED } x509_verdict;

/** A verdict of the judge that differs from the expected one, and the reason why it stays so. */
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
    size_t met;       /* number of entries of the table that deviated as listed */
    size_t surprises; /* number of deviations that are not in the table */
    bool verbose;     /* print each case */
} x509_tally;

/** Counts one case; `why` is the judge's text for a refusal. */
void x509_count(x509_tally *t, const char *id, x509_verdict expected, x509_verdict verdict,
                const char *why);

/**
 * Prints the result and those entries of the table that did not deviate. Returns the exit code of
 * the program.
 */
int x509_finish(const x509_tally *t, const char *collection);

#endif
