#ifndef PLAT_WOLFSSL_CURVE_TABLES_H
#define PLAT_WOLFSSL_CURVE_TABLES_H

/**
 * @file
 * wolfSSL's tables of points on the P curves.  A build with FP_ECC, such as Debian's, remembers up
 * to 15 points that a thread has multiplied, with 800 KB of room each for a table, and computes
 * that table when the thread meets the point again.  Computing one costs as much as four
 * handshakes, so tables pay only where many handshakes share them, as when all devices of a gateway
 * come back at once.  Otherwise the points are forgotten between any two operations, so that no
 * point is ever met again, and when a handshake has done its step.
 */

/** Handshakes in progress, for each thread that has handshakes, that make tables worth having. */
enum { PLAT_CURVE_TABLES_PAY = 16 };

/** Counts the handshakes in progress.  Any thread. */
void plat_curve_tables_handshake_begins(void);
void plat_curve_tables_handshake_ends(void);

/**
 * Forgets the points that the calling thread has met, unless tables pay just now.  To be called
 * before each signature check and each key exchange on a P curve, and after each step of a
 * handshake.  A thread whose last handshake ends while many others go on keeps its tables until its
 * next handshake or its own end.
 */
void plat_curve_tables_tidy(void);

#endif
