#ifndef PLAT_CONFORMANCE_H
#define PLAT_CONFORMANCE_H

/**
 * @file
 * Checks whether a port keeps the rules of the headers in this directory.  Link
 * iothub::platform_conformance, which needs no operating system, no heap and no test framework, so
 * that it runs on the device itself.
 *
 *     static void print(void *user, const char *line) { (void)user; puts(line); }
 *
 *     const plat_conformance_peer peer = { .host = "192.0.2.1", .port = 7007 };
 *     const plat_conformance c = { .platform = &my_platform, .print = print, .peer = &peer };
 *     return plat_conformance_run(&c) == 0 ? 0 : 1;
 *
 * Each rule that the port breaks is printed as one line, which names the function and the rule:
 *
 *     BROKEN plat_clock.monotonic_ms: it never goes back
 *
 * The checks of streams need a peer: the program platform/conformance_peer.py of this project, on
 * any computer that the device can reach.  The checks of stores need functions that open them.
 * What the caller does not provide is left out, and one line reports that.
 *
 * A run takes about ten seconds, 2 KB of static memory, and 1 KB of stack in addition to what the
 * port takes.  Only one run at a time is allowed.  A function of the port that does not return
 * stops the run; the line that was printed last names the group of checks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/kv.h"
#include "platform/platform.h"
#include "platform/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The other end of the streams, which runs platform/conformance_peer.py.  Each connection begins
 * with an order to the peer, such as "echo" or "send 5000", so that one address is enough.
 */
typedef struct plat_conformance_peer {
    const char *host; /**< Name or address of the peer. */
    uint16_t port;    /**< Its port. */
    /** How the streams are made; NULL: plain TCP.  For TLS, start the peer with a certificate that
     * this configuration trusts. */
    const plat_stream_config *config;
    uint16_t refused_port;    /**< A port of host that nobody listens on; 0: not checked. */
    const char *unknown_host; /**< A name that does not resolve, such as "nowhere.invalid"; NULL:
                                   not checked. */
} plat_conformance_peer;

/** How the checks open a store of records, and cut its power. */
typedef struct plat_conformance_store {
    void *user; /**< argument of the functions */
    /**
     * Opens the store.  The first call makes a new one; each later call opens the same one again,
     * after ops->close or a loss of power.
     * @param user      as above
     * @param[out] out  the store
     * @return any result but PLAT_OK ends the checks of the store, and counts as a broken rule
     */
    plat_result (*open)(void *user, plat_store **out);
    /**
     * Lets the power fail during a write.  From then on every function of the store fails, and the
     * checks call lost.  NULL: losses of power during writes are not checked.
     * @param user    as above
     * @param writes  number of writes to the medium, from 1 on, of which the last one fails midway
     */
    void (*cut_in)(void *user, uint32_t writes);
    /**
     * Ends the store as a loss of power does, now: nothing is synced or closed, but its memory is
     * given back.  It also ends what cut_in has begun.  NULL: losses of power are not checked.
     * @param user  as above
     * @param s     the store, which is not used any more
     */
    void (*lost)(void *user, plat_store *s);
    /** Fill the store until it is full.  Only for a small one: it gets records of 200 bytes until
     * append returns PLAT_ERR_FULL. */
    bool fill;
} plat_conformance_store;

/** How the checks open a store of named values, and cut its power. */
typedef struct plat_conformance_kv {
    void *user; /**< argument of the functions */
    /**
     * Opens the store.  The first call makes an empty one; each later call opens the same one
     * again.
     * @param user      as above
     * @param[out] out  the store
     * @return any result but PLAT_OK ends the checks of the store, and counts as a broken rule
     */
    plat_result (*open)(void *user, plat_kv **out);
    /**
     * Closes the store, also after a loss of power.
     * @param user  as above
     * @param kv    the store
     */
    void (*close)(void *user, plat_kv *kv);
    /**
     * Lets the power fail during a write, as in plat_conformance_store; close ends that.  NULL:
     * losses of power are not checked.
     * @param user    as above
     * @param writes  number of writes to the medium, from 1 on, of which the last one fails midway
     */
    void (*cut_in)(void *user, uint32_t writes);
} plat_conformance_kv;

/** What is checked.  All zero except platform and print checks what needs no help. */
typedef struct plat_conformance {
    const plat_platform *platform; /**< the port.  Without crypto, which only the device client
                                        needs, the rest is checked. */
    /**
     * Prints a line.
     * @param user  the member below
     * @param line  the text, without a line end, valid during the call
     */
    void (*print)(void *user, const char *line);
    /**
     * Counts what the port has allocated: bytes of the heap, descriptors, or both added up.  NULL:
     * leaks are not checked.
     * @param user  the member below
     * @return any number that grows by what is allocated and shrinks by what is given back
     */
    size_t (*in_use)(void *user);
    void *user;                          /**< argument of print and in_use */
    const plat_conformance_peer *peer;   /**< NULL: open connections are not checked */
    const plat_conformance_store *store; /**< NULL: there is no store of records */
    const plat_conformance_kv *kv;       /**< NULL: there is no store of named values */
} plat_conformance;

/**
 * Runs all checks and prints what the port does wrong, and at the end one line with the numbers of
 * checked and broken rules.
 * @param c  what is checked
 * @return the number of broken rules; 0: the port keeps all rules that were checked
 */
unsigned plat_conformance_run(const plat_conformance *c);

#ifdef __cplusplus
}
#endif
#endif
