#ifndef HUB_CALL_H
#define HUB_CALL_H

/**
 * @file How the front hands a connection of the HTTPS port to the HTTP server, which is another
 * process: a message on a socket of the type SOCK_SEQPACKET. It carries one end of a stream, on
 * which the bytes of the client arrive without TLS, and the certificates that the client has shown.
 * Only the front has the other end of the socket, so a client cannot write such a message.
 */

#include <stddef.h>

/** The largest chain in a message, in bytes. */
#define HUB_CALL_CHAIN_MAX 65536

/**
 * Makes a stream and sends one end of it. The chain is as hub_client_chain_read takes it. Returns
 * the other end, which does not block, or -1 if the message cannot be sent now.
 */
int hub_call_connect(int calls_fd, const char *chain, size_t len);
/**
 * Receives the next message. Returns the descriptor, or -1 if there is no message. The chain is not
 * NUL-terminated.
 */
int hub_call_receive(int calls_fd, char chain[HUB_CALL_CHAIN_MAX], size_t *len);

#endif
