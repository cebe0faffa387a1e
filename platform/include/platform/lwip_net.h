#ifndef PLAT_LWIP_NET_H
#define PLAT_LWIP_NET_H

/**
 * @file
 * The network of lwIP without an operating system: NO_SYS=1 and the raw API, both IP versions, and
 * names by lwIP's DNS client.  The streams are plain TCP; there is no TLS over them yet.
 *
 * All memory is that of lwIP's pools and heap, whose sizes lwipopts.h sets.  Everything runs in one
 * context: the functions of lwIP, of this net and of its streams must not be called from an
 * interrupt handler.
 */

#include "platform/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Size of plat_lwip_net.text. */
#define PLAT_LWIP_TEXT_SIZE 160

/** A network.  The first four members belong to the program, which sets them before init. */
typedef struct plat_lwip_net {
    const plat_clock *clock; /**< Time; also that of lwIP's sys_now. */
    /**
     * Passes all received frames to lwIP (netif->input).
     * @param user  the member of that name
     */
    void (*receive)(void *user);
    /**
     * Sleeps until an interrupt, or for a time.  It may return early.
     * @param user  the member of that name
     * @param ms    the longest sleep in milliseconds, at least 1
     */
    void (*sleep)(void *user, uint32_t ms);
    void *user;                     /**< Passed to receive and sleep; may be NULL. */
    plat_net net;                   /**< The interface; plat_lwip_net_init sets it. */
    unsigned changes;               /**< private: rises when a stream has something to report */
    char text[PLAT_LWIP_TEXT_SIZE]; /**< private: the text that a stream's detail returns */
} plat_lwip_net;

/**
 * Sets the interface of a network.  Call it after lwip_init.
 *
 * The interface makes streams of the kind PLAT_STREAM_TCP.  It refuses TLS, WebSockets, proxies,
 * second ways and `bind` with PLAT_ERR_ARG.  A stream reports no descriptor, but the time of lwIP's
 * next timer; plat_net.wait returns earlier if frames make a stream ready.
 *
 * @param n  the network, with its first four members set; it must outlive its streams
 */
void plat_lwip_net_init(plat_lwip_net *n);

#ifdef __cplusplus
}
#endif
#endif
