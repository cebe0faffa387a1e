#ifndef PLAT_WOLFSSL_CURVE_TABLES_H
#define PLAT_WOLFSSL_CURVE_TABLES_H

/**
 * @file
 * wolfSSL's tables of points on the P curves.  A build with FP_ECC, such as Debian's, remembers up
 * to 15 points that a thread has multiplied, and reserves 800 KB for a table of each.  It computes
 * the table when the thread uses the point a second time.  Computing a table costs as much as four
 * handshakes, so tables pay only if many handshakes share them, for example when all devices of a
 * gateway reconnect together.  Otherwise the points are dropped between any two operations, so that
 * no point is ever used a second time, and after each step of a handshake.
 */

/**
 * The number of handshakes in progress from which on tables are kept, for each thread that has some
 * of the handshakes.
 */
enum { PLAT_CURVE_TABLES_PAY = 16 };

/** Count the handshakes in progress. Any thread may call them. */
void plat_curve_tables_handshake_begins(void);
void plat_curve_tables_handshake_ends(void);

/**
 * Drops the points of the calling thread, unless tables pay at this moment.  Call it before each
 * signature check and each key exchange on a P curve, and after each step of a handshake.  If the
 * last handshake of a thread ends while many handshakes of other threads are in progress, the
 * thread keeps its tables until its next handshake or until it ends.
 */
void plat_curve_tables_tidy(void);

#endif
